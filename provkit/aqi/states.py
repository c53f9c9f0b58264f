"""Hidden states of a transformers model, by layer: pooled over the tokens of each row, in batches, kept on disk."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from provkit.aqi.layers import Layers
from provkit.aqi.rows import LabelledRows
from provkit.aqi.tensors import TensorFile, TensorWriter
from provkit.canonical import canonical
from provkit.embed import DEFAULT, Embedder, MissingExtra, cache_folder, no_bars, packaged_model
from provkit.errors import InputError, ProvkitError, plain

if TYPE_CHECKING:
    import torch

Pool = Literal["sentence", "mean", "last"]
Progress = Callable[[str, int, int], None]


def made_by(
    model: str,
    rows: LabelledRows,
    pool: Pool | None = None,
    batch: int = 16,
    most: int = 512,
    cache: Path | None = None,
    progress: Progress = lambda *_: None,
) -> Layers:
    """The representation that a model makes of the rows.

    Args:
        model: a name or a path.
        rows: whose texts it reads.
        pool: `sentence` for a sentence-transformers model's own unit embedding; `mean` or `last` for the hidden states
            of every layer, meaned over the tokens of a row or taken at its last one. When None, `sentence` for what
            sentence-transformers made, otherwise `mean`.
        batch: rows that go through the model at once.
        most: tokens of a row; a longer one is cut.
        cache: the folder where hidden states are kept, by model, texts, pooling and length.
        progress: called with "states", rows done, and rows in all.

    Raises:
        MissingExtra: when torch, transformers or sentence-transformers is not installed.
        ProvkitError: when the model cannot be loaded.
    """
    if (pool or _natural(model)) == "sentence":
        try:
            vectors = Embedder(model).encode(rows.texts)
        except (OSError, ValueError) as error:
            raise _unloadable(model, error) from None
        facts = {"model": model, "pool": "sentence"}
        return Layers(model, ("embedding",), lambda _: vectors.astype(np.float64), facts)
    return states(model, rows, "last" if pool == "last" else "mean", batch, most, cache, progress)


def states(
    model: str,
    rows: LabelledRows,
    pool: Literal["mean", "last"],
    batch: int = 16,
    most: int = 512,
    cache: Path | None = None,
    progress: Progress = lambda *_: None,
) -> Layers:
    """Hidden states by layer, layer 0 being the input embeddings; out of the cache where they are known.

    Raises:
        as `made_by`.
    """
    path = str(packaged_model()) if model == DEFAULT else model
    facts = {"model": model, "weights": weights_digest(path), "pool": pool, "most_tokens": most}
    key = hashlib.sha256(canonical({**facts, "rows": rows.digest})).hexdigest()
    kept = (cache or cache_folder() / "states") / f"{key[:32]}.safetensors"
    if not kept.is_file():
        _make(path, rows, pool, batch, most, kept, progress)
    opened = TensorFile(kept)
    names = tuple(name.removeprefix("layer.") for name in opened.names)
    return Layers(model, names, lambda at: opened.read(opened.names[at]), {**facts, "file": kept.name})


def _make(path: str, rows: LabelledRows, pool: str, batch: int, most: int, kept: Path, progress: Progress) -> None:
    """Runs the model over all rows and writes what its layers hold."""
    torch = _torch()
    tokenizer, network = _loaded(path)
    writer = None
    done = 0
    try:
        with torch.inference_mode():
            for places, tokens in batches(tokenizer, rows.texts, batch, most):
                found = network(**tokens, output_hidden_states=True, use_cache=False).hidden_states
                if writer is None:
                    names = [f"layer.{at}" for at in range(len(found))]
                    shape = (len(rows), int(found[0].shape[-1]))
                    writer = TensorWriter(kept, names, shape, {"rows": rows.digest})
                for at, hidden in enumerate(found):
                    layer = writer.layers[f"layer.{at}"]
                    layer[places] = pooled(hidden.float(), tokens["attention_mask"], pool).numpy()
                done += len(places)
                progress("states", done, len(rows))
        assert writer is not None
        writer.done()
    except BaseException:
        if writer is not None:
            writer.give_up()
        raise


def batches(tokenizer: Any, texts: Sequence[str], batch: int, most: int) -> Iterator[tuple[np.ndarray, dict[str, Any]]]:
    """Texts of like length together, padded on the right: the positions of a batch's rows, and its tensors."""
    lengths = [len(one) for one in tokenizer(list(texts), truncation=True, max_length=most)["input_ids"]]
    order = np.argsort(lengths, kind="stable")[::-1]
    for first in range(0, len(order), batch):
        places = order[first : first + batch]
        some = [texts[at] for at in places]
        found = tokenizer(some, padding=True, truncation=True, max_length=most, return_tensors="pt")
        yield places, dict(found)


def pooled(hidden: torch.Tensor, mask: torch.Tensor, pool: str) -> torch.Tensor:
    """States (rows, tokens, dimensions) as one vector a row: the mean over its tokens, or the last of them."""
    if pool == "last":
        last = mask.shape[1] - 1 - mask.flip(1).argmax(dim=1)
        return hidden[_torch().arange(len(hidden)), last]
    weight = mask.unsqueeze(-1).to(hidden.dtype)
    return (hidden * weight).sum(dim=1) / weight.sum(dim=1).clamp(min=1)


def weights_digest(path: str) -> str:
    """What tells a checkpoint from another under the same name: names, sizes and times of a folder's files.

    The empty string for a name of the hub, whose revision transformers resolves.
    """
    folder = Path(path)
    if not folder.is_dir():
        return ""
    files = sorted(one for one in folder.iterdir() if one.is_file())
    facts = [[one.name, one.stat().st_size, one.stat().st_mtime_ns] for one in files]
    return hashlib.sha256(canonical(facts)).hexdigest()


def _loaded(path: str) -> tuple[Any, Any]:
    if find_spec("transformers") is None:
        raise MissingExtra("hidden states need transformers, which is not installed\n  pip install 'provkit[embed]'")
    from transformers import AutoModel, AutoTokenizer

    try:
        with no_bars():
            tokenizer = AutoTokenizer.from_pretrained(path)
            network = AutoModel.from_pretrained(path)
    except (OSError, ValueError, KeyError) as error:
        raise _unloadable(path, error) from None
    tokenizer.padding_side = "right"  # absolute positions then start at the first token of every row
    if tokenizer.pad_token is None:
        if tokenizer.eos_token is None:
            raise InputError("its tokenizer has neither a padding nor an end token", field=plain(path))
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer, network.eval()


def _unloadable(model: str, error: Exception) -> ProvkitError:
    said = str(error).strip().splitlines()
    return ProvkitError(
        f"the model {plain(model)} cannot be loaded: {plain(said[0] if said else type(error).__name__)}"
    )


def _torch() -> Any:
    if find_spec("torch") is None:
        raise MissingExtra("hidden states need torch, which is not installed\n  pip install torch 'provkit[embed]'")
    import torch

    return torch


def _natural(model: str) -> Pool:
    made = model == DEFAULT or model.startswith("sentence-transformers/") or (Path(model) / "modules.json").is_file()
    return "sentence" if made else "mean"
