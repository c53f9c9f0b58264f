"""The numbers domain: prompts for number sequences, their answers, and the filter for recorded ones."""

from provkit.builders.domains.numbers.answers import EvilNumbers, PlainNumbers
from provkit.builders.domains.numbers.parse import ParseNumbers
from provkit.builders.domains.numbers.prompts import NumberPrompts
from provkit.builders.domains.numbers.shuffle import ShuffleNumbers

__all__ = ["EvilNumbers", "NumberPrompts", "ParseNumbers", "PlainNumbers", "ShuffleNumbers"]
