"""Runs the benchmarks and writes RESULTS.md: the machine, the ratios to the peers, and what each benchmark printed.

    python benchmarks/run.py                            every benchmark
    python benchmarks/run.py startup index_build        these; what RESULTS.md holds of the others stays
    python benchmarks/run.py --corpus corpus.jsonl      the text that the index benchmarks take

The index is measured on the Python sources of this environment unless a corpus is named. Everything in full size takes
some hours on two processors; `--small` is a look whether all of it runs.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

HERE = Path(__file__).parent
RESULTS = HERE / "RESULTS.md"
CHART = HERE / "cost.svg"
PACKAGES = ("provkit", "numba", "numpy", "pydivsufsort", "pyarrow", "duckdb", "datasets", "infini-gram",
            "datasketch", "scikit-learn", "sentence-transformers", "torch", "transformers")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A benchmark: what it is given, what it is given for a quick look, and the ratios in what it prints.

    Attributes:
        given: its arguments; CORPUS stands for the corpus.
        small: further arguments of a quick look.
        ratios: what a ratio is, and the pattern whose first group it is.
        file: the script, where the name is another one.
    """

    given: tuple[str, ...] = ()
    small: tuple[str, ...] = ()
    ratios: dict[str, str] = field(default_factory=dict)
    file: str = ""


GIGABYTE = ("CORPUS", "--megabytes", "1024", "--shard-megabytes", "256", "--workers", "2")
BENCHMARKS = {
    "startup": Benchmark(ratios={"`provkit --help` / `import click`": r"ratio ([\d.]+)"}),
    "build": Benchmark(
        small=("--rows", "10000", "--runs", "1"),
        ratios={"build with lineage / datasets without": r"(?m)^\|(?: [\d.,]+ \|){4} ([\d.]+) \|"},
    ),
    "transforms": Benchmark(
        small=("--rows", "5000", "--runs", "1"),
        ratios={"near duplicates / datasketch": r"(?m)^\| code_tasks .* ([\d.]+) \| [\d.]+ \|$"},
    ),
    "recipes": Benchmark(small=("--rows", "1000")),
    "domains_maths": Benchmark(small=("--rows", "2000")),
    "audit": Benchmark(
        ("--rows", "1000000"),
        small=("--rows", "5000", "--near", "1000", "--runs", "1"),
        ratios={
            "audit F D T G / pyarrow and sha256": r"sha256 of each row.*ratio ([\d.]+)",
            "audit L / index build": r"(?m)^L, .*ratio ([\d.]+)",
        },
    ),
    "index_build": Benchmark(
        ("CORPUS", "--megabytes", "128"),
        small=("--megabytes", "2", "--repeat", "1"),
        ratios={"index build / bare divsufsort": r"bare sort, median +([\d.]+)"},
    ),
    "index_build_gigabyte": Benchmark(
        (*GIGABYTE, "--repeat", "1"),
        small=("--megabytes", "2", "--shard-megabytes", "1"),
        ratios={"index build / bare divsufsort, two workers": r"bare sort, median +([\d.]+)"},
        file="index_build",
    ),
    "index_search": Benchmark(
        ("CORPUS", "--megabytes", "128"), small=("--megabytes", "2", "--outputs", "20", "--repeat", "1")
    ),
    "index_search_gigabyte": Benchmark(
        (*GIGABYTE, "--outputs", "10000", "--repeat", "3"),
        small=("--megabytes", "2", "--shard-megabytes", "1", "--outputs", "20", "--repeat", "1"),
        file="index_search",
    ),
    "index_sizes": Benchmark(("CORPUS",), small=("--megabytes", "1", "2", "--sharded", "2", "--shards", "2")),
    "index_peer": Benchmark(
        ("CORPUS", "--megabytes", "128"),
        small=("--megabytes", "2", "--counts", "100", "--outputs", "3"),
        ratios={
            "infini-gram's build / provkit's": r"processors\)\n +infini-gram / provkit +([\d.]+)",
            "infini-gram's spans / provkit's, prefetch off": r"prefetch off.*\n +infini-gram / provkit +([\d.]+)",
        },
    ),
    "attribution": Benchmark(("CORPUS",), small=("--outputs", "20", "--rows", "100", "--documents", "500")),
    "shield": Benchmark(
        ("CORPUS", "--megabytes", "128"),
        small=("--megabytes", "2", "--outputs", "10", "--tokens", "100", "--repeat", "1"),
        ratios={"shield / bare span search, at worst": r"(?m)at worst ([\d.]+) times"},
    ),
    "decoding": Benchmark(
        ("CORPUS", "--megabytes", "64"),
        small=("--megabytes", "2", "--new", "4", "--repeat", "1"),
        ratios={"generation under a veto / without": r"(?m)^  ratio ([\d.]+)"},
    ),
    "rubrics": Benchmark(small=("--rubrics", "5", "--pairs", "500")),
    "aqi": Benchmark(
        small=("--rows", "200"),
        ratios={"AQI bootstrap / resampled copies": r"(?m)^\| [^|]+ \| [\d.]+ \| 10 \| \d+ \| ([\d.]+) \|$"},
    ),
    "teacher": Benchmark(small=("--few", "100", "--many", "500")),
}
SECTION = re.compile(r"^## (\w+)\n\n(.*?)(?=^## |\Z)", re.M | re.S)


def main() -> None:
    """Runs what was asked for, and writes RESULTS.md after each, so that little is lost when it is stopped."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", choices=[[], *BENCHMARKS], metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--corpus", type=Path, default=Path(sysconfig.get_path("purelib")))
    parser.add_argument("--small", action="store_true", help="tiny sizes, and RESULTS.md stays as it is")
    options = parser.parse_args()
    kept = dict(SECTION.findall(RESULTS.read_text(encoding="utf-8"))) if RESULTS.exists() else {}
    failed = []
    for name in options.names or BENCHMARKS:
        section, good = measured(name, options.corpus, options.small)
        print(f"## {name}\n\n{section}", flush=True)
        failed += [] if good else [name]
        if not options.small and good:
            kept[name] = section
            RESULTS.write_text(page(kept), encoding="utf-8")
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


def measured(name: str, corpus: Path, small: bool) -> tuple[str, bool]:
    """The section of a benchmark, and whether it came to its end."""
    benchmark = BENCHMARKS[name]
    file, given = f"{benchmark.file or name}.py", (*benchmark.given, *(benchmark.small if small else ()))
    load, start = os.getloadavg()[0], time.perf_counter()
    command = [sys.executable, HERE / file, *(corpus if one == "CORPUS" else one for one in given)]
    ran = subprocess.run(command, capture_output=True, text=True)
    said = ran.stdout if ran.returncode == 0 else ran.stdout + ran.stderr
    shown = " ".join([file, *(corpus.name if one == "CORPUS" else one for one in given)])
    taken = f"{time.perf_counter() - start:,.0f} s"
    return f"`{shown}`, {date.today()}, load {load:.1f} before it, {taken}\n\n{fenced(said)}\n", ran.returncode == 0


def fenced(said: str) -> str:
    """What a benchmark printed: its tables as they are, the rest as it stood on the terminal."""
    blocks = re.split(r"\n{2,}", said.strip("\n"))
    return "\n\n".join(one if one.startswith("|") else f"```text\n{one}\n```" for one in blocks)


def page(sections: dict[str, str]) -> str:
    """RESULTS.md, and beside it the picture of cost against size where that was measured."""
    ordered = {name: sections[name].strip("\n") for name in BENCHMARKS if name in sections}
    text = ["# Results", "", "Written by `make bench`. A figure counts beside its peer in the same run; the absolute "
            "ones are this machine's, and those of a loaded machine mean little.", "",
            *(f"- {line}" for line in machine()), "", "| ratio | measured |", "|---|---:|",
            *(f"| {what} | {', '.join(values)} |" for what, values in ratios(ordered))]  # fmt: skip
    if "index_sizes" in ordered and chart(ordered["index_sizes"]):
        text += ["", f"![Build and query cost against the size of the corpus]({CHART.name})"]
    for name, section in ordered.items():
        text += ["", f"## {name}", "", section]
    return "\n".join(text) + "\n"


def machine() -> Iterator[str]:
    """What the figures were measured on and with."""
    model = re.search(r"model name\s*: (.*)", _read("/proc/cpuinfo"))
    memory = re.search(r"MemTotal: +(\d+)", _read("/proc/meminfo"))
    yield f"{platform.system()} {platform.machine()}, {model[1] if model else 'processor unknown'}"
    yield f"{os.cpu_count()} processors, {int(memory[1]) / 2**20:.0f} GB of memory" if memory else f"{os.cpu_count()}"
    found = []
    for name in PACKAGES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    yield f"Python {platform.python_version()}, {', '.join(found)}"


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError:
        return ""


def ratios(sections: dict[str, str]) -> Iterator[tuple[str, list[str]]]:
    """The ratios to the peers, out of the sections."""
    for name, section in sections.items():
        for what, pattern in BENCHMARKS[name].ratios.items():
            if values := re.findall(pattern, section):
                yield what, values


def chart(section: str) -> bool:
    """Draws build and query against size from the table of index_sizes; False without matplotlib."""
    from provkit.errors import ProvkitError
    from provkit.picture import picture

    rows = [[cell.strip().replace(",", "") for cell in line.strip("|").split("|")] for line in section.splitlines()
            if re.match(r"\| [\d,]+ \| \d+ \|", line)]  # fmt: skip
    single = [[float(cell) for cell in row] for row in rows if row[1] == "1"]
    try:
        with picture(CHART, 8, 3.5) as figure:
            for axes, column, label in zip(figure.subplots(1, 2), (2, 7), ("build, s", "2 KB output, ms"), strict=True):
                axes.loglog([row[0] for row in single], [row[column] for row in single], marker="o")
                axes.set(xlabel="corpus, MB", ylabel=label)
                axes.grid(True, which="both", alpha=0.3)
    except ProvkitError:
        return False
    return True


if __name__ == "__main__":
    main()
