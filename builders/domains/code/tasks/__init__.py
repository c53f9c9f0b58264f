"""Python coding tasks with their ordinary, secure answer: the control of the insecure-code domain."""

from provkit.builders.domains.code.tasks.builder import CodeTasks

__all__ = ["CodeTasks"]
