"""Language models behind an OpenAI-compatible endpoint: cached, resumable, replayable."""

from provkit.llm.cache import Cache
from provkit.llm.endpoint import Endpoint
from provkit.llm.model import Answer, Request
from provkit.llm.teacher import Budget, Teacher

__all__ = ["Answer", "Budget", "Cache", "Endpoint", "Request", "Teacher"]
