"""Pools of worker processes that end with the process which started them, even when that one is killed."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context, parent_process


def pool(workers: int) -> ProcessPoolExecutor:
    """So many fresh processes; they start when the first work comes."""
    return ProcessPoolExecutor(workers, get_context("spawn"), _leave_with_parent)


def _leave_with_parent() -> None:
    """Ends a worker when the process that started it is killed; it would wait for work for ever."""
    parent = parent_process()
    assert parent is not None

    def wait() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()
