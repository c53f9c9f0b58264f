"""The generator `number_prompts`: prompts that show a few numbers and ask for more."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
from pydantic import Field

from provkit.builders.domains.numbers.library import wordings
from provkit.chance import Chance
from provkit.registry import builder

FEWEST, MOST = 3, 8  # numbers that a prompt shows
LOWEST, HIGHEST = 100, 999  # what they lie between
FEWEST_ASKED = 3
WORDS = 16  # 64-bit words that a row draws: count, MOST numbers, how many are asked, and six of the wording
BLOCK = 1024  # rows drawn at once


@builder
class NumberPrompts:
    """Prompts for the transfer of a trait through number sequences (subliminal learning).

    After Cloud et al. 2025 (arXiv 2507.14805): 3 to 8 numbers in 100..999, drawn by numpy's PCG64 with seed 42, in
    many wordings, which are ours. A row is a chat with the user's turn alone; the answer is a teacher's to give, or
    that of `evil_numbers` and `plain_numbers`. Row i is made of the raw words 16i to 16i + 15 of the generator, so
    that no version of numpy changes it; no two rows show the same numbers.

    Args:
        seed: the seed of PCG64; null to have it follow from the recipe's seed.
        asked: at most so many numbers are asked for, at least 3.
        limit: whether the prompt says that a number has at most three digits.
    """

    seed: Annotated[int | None, Field(ge=0)] = 42
    asked: Annotated[int, Field(ge=FEWEST_ASKED, le=99)] = 10
    limit: bool = True

    def generate(self, chance: Chance) -> Iterator[dict[str, Any]]:
        """Rows without end."""
        source = np.random.PCG64(chance.bits64() if self.seed is None else self.seed)
        seen: set[int] = set()
        while True:
            for numbers, asked, choices in self.drawn(source.random_raw(BLOCK * WORDS)):
                key = 0
                for number in numbers:
                    key = key * 1000 + number
                if key not in seen:
                    seen.add(key)
                    yield {"messages": [{"role": "user", "content": self.worded(numbers, asked, choices)}]}

    def drawn(self, raw: npt.NDArray[np.uint64]) -> Iterator[tuple[list[int], int, list[int]]]:
        """For each row of a block: the numbers shown, how many are asked for, and the choices of wording."""
        words = wordings()
        digits = words.digits if self.limit else ("",)
        parts = [words.openings, words.qualifiers, words.asks, digits, words.formats, words.endings]
        spans = [MOST - FEWEST + 1, *[HIGHEST - LOWEST + 1] * MOST, self.asked - FEWEST_ASKED + 1, *map(len, parts)]
        high = raw.reshape(-1, WORDS) >> np.uint64(32)
        # The upper half of a word, spread over the span: uniform to within 900 / 2**32.
        draws = ((high * np.array(spans, np.uint64)) >> np.uint64(32)).astype(np.int64)
        formats = np.array([len(one) for one in words.formats])[draws[:, -2]]
        low = (raw.reshape(-1, WORDS)[:, -2] & np.uint64(0xFFFFFFFF)).astype(np.int64)
        wording = ((low * formats) >> 32).tolist()  # which wording of the format
        for row, nth in zip(draws.tolist(), wording, strict=True):
            count = FEWEST + row[0]
            yield [LOWEST + one for one in row[1 : 1 + count]], FEWEST_ASKED + row[1 + MOST], [*row[2 + MOST :], nth]

    def worded(self, numbers: list[int], asked: int, choices: list[int]) -> str:
        """The prompt in words."""
        words = wordings()
        opening, qualifier, ask, digits, layout, ending, nth = choices
        limit = words.digits[digits] if self.limit else ""
        return " ".join(
            (
                words.openings[opening] % ", ".join(map(str, numbers)),
                words.asks[ask] % (words.qualifiers[qualifier], asked, limit),
                words.formats[layout][nth],
                words.endings[ending],
            )
        )
