"""Runs every benchmark that needs nothing but this environment: make bench."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ALONE = ("startup.py", "build.py")


def main() -> None:
    """Prints the machine, then each benchmark's own lines."""
    print(f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}")
    for name in ALONE:
        print(f"\n## {name}\n", flush=True)
        subprocess.run([sys.executable, HERE / name], check=True)


if __name__ == "__main__":
    main()
