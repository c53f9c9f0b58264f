"""What 1 TB and 100 TB of text cost, computed from what was measured: the tables of docs/scale.md.

    python benchmarks/scale.py            prints the tables
    python benchmarks/scale.py --write    puts them between the marks in docs/scale.md

Nothing is measured here. MEASURED holds figures that `index_build.py`, `index_search.py` and `index_read.py` printed on
one machine; change them there and run this again.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "scale.md"
BEGIN, END = "<!-- computed by benchmarks/scale.py -->", "<!-- end -->"
MB, GB, TB = 2**20, 2**30, 10**12
SHARDS = {"256 MB": 256 * MB, "1 GB": GB, "2 GB": 2047 * MB}
CORPORA = {"1 TB": (TB, 1), "100 TB": (100 * TB, 25)}  # bytes of text, and how many indexes it is cut into
MAPS = 65_530  # what Linux allows a process unless vm.max_map_count says otherwise


@dataclass(frozen=True, slots=True)
class Measured:
    """Figures of one machine with two processors.

    Attributes:
        built: 1,025.7 MB (Linux sources, 5 shards of at most 256 MB) with two workers: bytes, and seconds of the whole.
        query: one 2 KB output over those 5 shards, counts included, one thread, warm: seconds a shard.
        shard: bytes of text in one of them.
        longer: times that an output takes on one shard of three times the text (0.35 and 0.42 ms, 128 and 384 MB).
        cold: the first output after opening, nothing in memory, over those shards: seconds a shard.
        read: bytes of JSONL text a second that one processor reads, digests and writes as shards to be sorted.
        parquet: the same of Parquet.
        memory: the peak of a process, bytes a byte of the largest shard; the larger of two runs.
        size: bytes of index a byte of text; the larger of two corpora.
        directory: of it the part that every query touches, and that memory has to hold.
        checked: bytes a second of one processor at the first opening.
        maps: memory maps of an open shard.
    """

    built: tuple[float, float] = (1025.7 * MB, 101.17)
    query: float = 2.520e-3 / 5
    shard: float = 1025.7 * MB / 5
    longer: float = 0.42 / 0.35
    cold: float = 0.624 / 5
    read: float = 68e6
    parquet: float = 185e6
    memory: float = 6.48
    size: float = 1.97
    directory: float = 0.028
    checked: float = 1.708 * 1025.7 * MB / 0.805 / 2
    maps: int = 4


@dataclass(frozen=True, slots=True)
class Cost:
    """What a corpus costs that is cut into indexes, each built by a reader and the workers that keep up with it."""

    text: float
    shard: float
    indexes: int
    of: Measured = Measured()

    @property
    def shards(self) -> int:
        """How many there are: T / S."""
        return math.ceil(self.text / self.shard)

    @property
    def rate(self) -> float:
        """Bytes a second of one of two workers of a machine: a suffix sort takes S log S."""
        size, seconds = self.of.built
        return size / seconds / 2 * math.log(self.of.shard) / math.log(self.shard)

    @property
    def fed(self) -> int:
        """How many workers keep up with one reader: R / r."""
        return math.ceil(self.of.read / self.rate)

    @property
    def hours(self) -> float:
        """Of the build: T / (k R)."""
        return self.text / self.indexes / self.of.read / 3600

    @property
    def output(self) -> float:
        """Processor seconds of an output on one shard: q (1 + (l - 1) log3(S / S0))."""
        return self.of.query * (1 + (self.of.longer - 1) * math.log(self.shard / self.of.shard, 3))

    def row(self) -> Iterator[str]:
        """The cells of one line of the table."""
        yield from (f"{self.indexes}", f"{self.shards:,}", f"{self.text / self.rate / 3600:,.0f}")
        yield from (f"{self.indexes * self.fed:,}", f"{self.hours:,.1f}", f"{self.of.memory * self.shard / GB:.1f}")
        yield from (f"{self.of.size * self.shard / GB:.1f}", f"{self.of.size * self.text / TB:,.1f}")
        yield from (
            f"{self.of.directory * self.text / 1e9:,.0f}",
            f"{self.of.size * self.text / self.of.checked / 3600:,.1f}",
        )
        yield from (f"{self.shards * self.output:,.1f}", f"{self.shards * self.of.cold:,.0f}")


COLUMNS = ("corpus", "shard", "indexes", "shards", "worker hours", "workers", "hours of the build",
           "memory a worker, GB", "scratch a worker, GB", "index, TB", "memory for queries, GB",
           "first opening, processor hours", "an output, processor s", "a first output, cold, s")  # fmt: skip
LIMITS = ("shard", "0.1 s an output up to", "1 s an output up to", "a process opens up to",
          "workers a reader of JSONL", "of Parquet")  # fmt: skip


def costs() -> Iterator[str]:
    """The costs of both corpora in shards of each size."""
    yield f"| {' | '.join(COLUMNS)} |"
    yield "|---|---|" + "---:|" * (len(COLUMNS) - 2)
    for name, (text, indexes) in CORPORA.items():
        for size, shard in SHARDS.items():
            yield f"| {' | '.join([name, size, *Cost(text, shard, indexes).row()])} |"


def limits() -> Iterator[str]:
    """How much text fits what is asked of a query, and how many workers one reader feeds."""
    yield f"| {' | '.join(LIMITS)} |"
    yield "|---|" + "---:|" * (len(LIMITS) - 1)
    for size, shard in SHARDS.items():
        one = Cost(TB, shard, 1)
        tenth, second, opened = (shard * most / TB for most in (0.1 / one.output, 1 / one.output, MAPS / one.of.maps))
        fed = f"{one.fed} | {math.ceil(one.of.parquet / one.rate)}"
        yield f"| {size} | {tenth:.2f} TB | {second:.2f} TB | {opened:.1f} TB | {fed} |"


def block() -> str:
    """What stands between the marks in the page."""
    return "\n".join(["", *costs(), "", *limits(), ""])


def main() -> None:
    """Prints the tables, or writes them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="into docs/scale.md")
    if not parser.parse_args().write:
        print(block())
        return
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n{block()}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
