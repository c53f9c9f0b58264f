"""Opens Parquet files so that they are read batch by batch in bounded memory."""

from __future__ import annotations

from typing import Any

import pyarrow.parquet as pq

AHEAD = 1 << 20  # bytes of a column that are read at a time


def opened(source: Any, **options: Any) -> pq.ParquetFile:
    """A Parquet file whose `iter_batches` holds a few row groups at most.

    By default pyarrow reads every column chunk ahead and keeps it until the file is closed, so that a pass over a file
    takes as much memory as the file is large.

    Args:
        source: a path, or an open file of Arrow's.
        options: further ones of `pyarrow.parquet.ParquetFile`.
    """
    return pq.ParquetFile(source, pre_buffer=False, buffer_size=AHEAD, **options)
