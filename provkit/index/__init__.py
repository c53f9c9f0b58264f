"""Exact search over a corpus: build an index, count, find, and split an output into its maximal spans.

Importing this package loads neither numba nor pyarrow; they come with the first name that needs them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from provkit.index.model import (
    Bci,
    Context,
    DamagedIndex,
    Document,
    Occurrence,
    Percentile,
    Progress,
    Span,
    Spans,
)

if TYPE_CHECKING:
    from provkit.index.build import add_documents, build_index, drop_shard
    from provkit.index.check import verify
    from provkit.index.manifest import Input, Manifest
    from provkit.index.queries import SpanColumns
    from provkit.index.search import Index, open_index

__all__ = [
    "Bci",
    "Context",
    "DamagedIndex",
    "Document",
    "Index",
    "Input",
    "Manifest",
    "Occurrence",
    "Percentile",
    "Progress",
    "Span",
    "SpanColumns",
    "Spans",
    "add_documents",
    "build_index",
    "drop_shard",
    "open_index",
    "verify",
]

_HOME = {
    "Index": "search",
    "Input": "manifest",
    "Manifest": "manifest",
    "SpanColumns": "queries",
    "add_documents": "build",
    "build_index": "build",
    "drop_shard": "build",
    "open_index": "search",
    "verify": "check",
}


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"provkit.index.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
