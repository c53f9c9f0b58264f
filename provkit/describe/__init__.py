"""Measures of a set's structure: lengths, diversity, entropy, freedom of the answers, nearness to an evaluation."""

from provkit.describe.model import ArmMeasures, Description, Lengths, Nearness, TextMeasures
from provkit.describe.plot import draw
from provkit.describe.run import describe

__all__ = ["ArmMeasures", "Description", "Lengths", "Nearness", "TextMeasures", "describe", "draw"]
