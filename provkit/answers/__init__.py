"""Answers of a model to free-form questions, the scores that a judge gives them, and the directory that holds both."""

from provkit.answers.ask import Asking, ask
from provkit.answers.directory import facts_of
from provkit.answers.logs import read_log
from provkit.answers.questions import Question, read_questions
from provkit.answers.score import score

__all__ = ["Asking", "Question", "ask", "facts_of", "read_log", "read_questions", "score"]
