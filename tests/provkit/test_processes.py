"""Worker processes end with the process that started them."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

CODE = """
import os, time
from provkit import processes
if __name__ == "__main__":
    with processes.pool(1) as pool:
        print(pool.submit(os.getpid).result(), flush=True)
        time.sleep(60)
"""


def test_a_worker_does_not_outlive_a_killed_process(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(CODE)
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        worker = Path("/proc", running.stdout.readline().strip())
        assert worker.is_dir()
        running.kill()
    for _ in range(1000):
        if not alive(worker):
            return
        time.sleep(0.01)
    raise AssertionError("the worker is still there")


def alive(process: Path) -> bool:
    try:
        return (process / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
