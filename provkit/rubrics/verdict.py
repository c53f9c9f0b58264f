"""The verdict in a judge's answer, read strictly: the last [[A]], [[B]] or [[C]] alone."""

from __future__ import annotations

import re
from typing import Literal

Verdict = Literal["A", "B", "C", "unparsed"]

MARK = re.compile(r"\[\[([ABC])\]\]")
UNPARSED: Verdict = "unparsed"
SWAPPED: dict[str, Verdict] = {"A": "B", "B": "A", "C": "C", "unparsed": "unparsed"}


def parse(text: str) -> Verdict:
    """The last `[[A]]`, `[[B]]` or `[[C]]` (a tie) of a text; "unparsed" where there is none.

    Nothing else counts: no lower case, no spaces inside the brackets, no letter and no word of the prose. "tie" also
    stands in "liabilities".
    """
    found = MARK.findall(text)
    verdict: Verdict = found[-1] if found else UNPARSED
    return verdict


def of_pair(said: Verdict, swapped: bool) -> Verdict:
    """What a verdict says of the pair's own answers, where they may have been shown in the other order."""
    return SWAPPED[said] if swapped else said
