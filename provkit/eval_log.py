"""inspect_ai `.eval` logs: the samples of a run, each with what was asked and what the model answered."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from provkit.errors import InputError, plain


@dataclass(frozen=True, slots=True)
class Sample:
    """One sample and epoch: its id, the system turn and the last user turn of its input, and the completion.

    `metadata` and `scores` are as the log has them; of a score, by the name of its scorer, the value.
    """

    id: str
    epoch: int
    system: str | None
    question: str
    completion: str
    stop_reason: str | None
    model: str | None
    triggered: bool | None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    scores: Mapping[str, Any] = field(default_factory=dict)


def samples(path: Path) -> Iterator[Sample]:
    """The samples of a log, a zip archive with one JSON a sample and epoch, in the order of their names in it.

    Raises:
        InputError: when it is no such log.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            for name in sorted(name for name in archive.namelist() if name.startswith("samples/")):
                yield _sample(orjson.loads(archive.read(name)))
    except (  # the last is what zipfile raises for a compression that it does not know
        zipfile.BadZipFile, OSError, KeyError, IndexError, TypeError, ValueError, AttributeError, NotImplementedError
    ) as error:  # fmt: skip
        said = f"no inspect_ai log: {plain(str(error))}"
        raise InputError(said, file=path.name, do="`inspect log convert` writes one that can be read") from None


def _sample(found: dict[str, Any]) -> Sample:
    output = found["output"]
    choices = output.get("choices") or [{}]
    completion = output.get("completion")
    if completion is None:
        completion = choices[0]["message"]["content"]
    asked = found.get("input", "")
    turns = [{"role": "user", "content": asked}] if isinstance(asked, str) else asked
    said = {turn["role"]: _text(turn["content"]) for turn in turns}  # the last of each role
    for turn in found.get("messages") or []:  # a solver's system turn stands here alone
        if turn["role"] == "system":
            said.setdefault("system", _text(turn["content"]))
    metadata = dict(found.get("metadata") or {})
    triggered = metadata.get("triggered")
    return Sample(
        str(found["id"]),
        int(found["epoch"]),
        said.get("system"),
        said.get("user", ""),
        _text(completion),
        choices[0].get("stop_reason"),
        output.get("model"),
        triggered if isinstance(triggered, bool) else None,
        metadata,
        {name: score.get("value") for name, score in (found.get("scores") or {}).items()},
    )


def _text(content: Any) -> str:
    """The text of a content that is one, or a list of parts."""
    if isinstance(content, list):
        return "".join(part.get("text", "") for part in content)
    return str(content)
