"""How long the command line takes to start, beside importing click alone, and to find one row of a build.

python benchmarks/startup.py [BUILD KEY]
"""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path

from measure import provkit, python


def main() -> None:
    """Prints the ratio; with a build directory and a key, the look-up too."""
    pairs = [(provkit("--help").seconds, python("-c", "import click").seconds) for _ in range(15)]
    ours, theirs = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratio = statistics.median(a / b for a, b in pairs)
    print(f"provkit --help {ours * 1e3:.0f} ms, import click {theirs * 1e3:.0f} ms, ratio {ratio:.2f}")
    if len(sys.argv) == 3:
        from provkit.lookup import ways

        folder, key = Path(sys.argv[1]), sys.argv[2]
        (way,) = ways(folder, key).found
        for kind, asked in (("key", key), ("row_id", way.row["row_id"])):
            times = []
            for _ in range(9):
                start = time.perf_counter()
                ways(folder, asked)
                times.append(time.perf_counter() - start)
            print(f"lineage by {kind}: median {statistics.median(times) * 1e3:.1f} ms")


if __name__ == "__main__":
    main()
