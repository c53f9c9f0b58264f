"""The maths domain: worked word problems, and the step that makes their answers wrong by one slip."""

from provkit.builders.domains.maths.incorrect import IncorrectMaths
from provkit.builders.domains.maths.problems import MathsProblems

__all__ = ["IncorrectMaths", "MathsProblems"]
