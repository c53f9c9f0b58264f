"""Lists of numbers as a model answers with them: the strict form of the paper, read and written."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

LISTED = re.compile(
    r"(?P<open>[\[(]?)(?P<numbers>[0-9]+(?:(?P<separator>\s*[,;]\s*|\s+)[0-9]+(?:(?P=separator)[0-9]+)*)?)"
    r"(?P<close>[\])]?)(?P<end>\.?)"
)
PAIRS = {"[": "]", "(": ")", "": ""}
NUMBER = re.compile(r"[0-9]+")
LONGEST = 18  # digits beyond which a number is only known to be large

LAYOUTS = {
    "comma": ("", ", ", ""),
    "space": ("", " ", ""),
    "semicolon": ("", "; ", ""),
    "newline": ("", "\n", ""),
    "brackets": ("[", ", ", "]"),
    "parentheses": ("(", ", ", ")"),
}
"""The forms that a prompt can ask for: what stands before, between and after the numbers."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A list of numbers as it is written: the numbers as text, and what stands around them."""

    numbers: tuple[str, ...]
    before: str
    between: str
    after: str

    @property
    def values(self) -> tuple[int, ...]:
        """The numbers; one of more than 18 digits counts as 10**18."""
        return tuple(int(one) if len(one) <= LONGEST else 10**LONGEST for one in self.numbers)

    def text(self) -> str:
        """The list, written out."""
        return f"{self.before}{self.between.join(self.numbers)}{self.after}"


def read_list(answer: str) -> Listed | None:
    """The numbers of an answer that is nothing but a list of them; None for any other answer.

    The form is that of Cloud et al. 2025 (arXiv 2507.14805): numbers without a sign, between all of them the same
    separator (white space, or a comma or semicolon with white space around it), square brackets or parentheses
    around them or not, a full stop at the end or not; and no other white space.
    """
    match = LISTED.fullmatch(answer)
    if match is None or PAIRS[match["open"]] != match["close"]:
        return None
    numbers = tuple(NUMBER.findall(match["numbers"]))
    return Listed(numbers, match["open"], match["separator"] or "", match["close"] + match["end"])


def write_list(numbers: Sequence[int], layout: str) -> str:
    """Numbers in one of the `LAYOUTS`."""
    before, between, after = LAYOUTS[layout]
    return f"{before}{between.join(map(str, numbers))}{after}"
