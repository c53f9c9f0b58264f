"""Runs a command as a whole process and says what it took: seconds, CPU seconds, and the peak of its memory."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Run:
    """A finished process: wall seconds, the largest resident set of it or any child in MB, CPU seconds of them all."""

    seconds: float
    megabytes: float
    cpu: float


def run(*command: str | Path, cwd: Path | None = None) -> Run:
    """Runs a command to its end.

    Raises:
        RuntimeError: when it fails, with what it said.
    """
    start = time.perf_counter()
    process = subprocess.Popen(
        [str(part) for part in command], cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert process.stdout is not None
    said = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"{command}: {said.decode(errors='replace')}")
    return Run(time.perf_counter() - start, usage.ru_maxrss / 1024, usage.ru_utime + usage.ru_stime)


def python(*arguments: str | Path, cwd: Path | None = None) -> Run:
    """Runs this Python with arguments."""
    return run(sys.executable, *arguments, cwd=cwd)


def provkit(*arguments: str | Path, cwd: Path | None = None) -> Run:
    """Runs the provkit of this environment."""
    return run(Path(sys.executable).with_name("provkit"), *arguments, cwd=cwd)
