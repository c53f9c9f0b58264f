"""Where a picture goes: a matplotlib figure that becomes a file when it is drawn."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from provkit.errors import InputError, ProvkitError

SUFFIXES = (".png", ".svg", ".pdf")


@contextmanager
def picture(path: Path, width: float, height: float) -> Iterator[Any]:
    """A figure of so many inches that is written to `path` when the block ends; the suffix chooses the format.

    Raises:
        InputError: for another suffix than .png, .svg and .pdf.
        ProvkitError: when matplotlib is not installed (the extra `plot`), or the file cannot be written.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise InputError(f"a picture ends in {', '.join(SUFFIXES)}", file=path, field="--plot")
    if find_spec("matplotlib") is None:
        raise ProvkitError("the picture needs matplotlib, which is not installed\n  pip install 'provkit[plot]'")
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    yield figure
    try:
        figure.savefig(path, dpi=120, metadata={"Software": None} if path.suffix.lower() == ".png" else None)
    except OSError as error:
        raise ProvkitError(f"cannot write {path.name}: {error.strerror}\n  name another place") from None
