"""A page and its HTML: templates, inlined style and script, and a policy under which nothing else runs or is loaded."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Any

import orjson

import provkit
from provkit.errors import ProvkitError, plain
from provkit.markup import visible

if TYPE_CHECKING:
    from jinja2 import Environment

MARK = '<meta name="generator" content="provkit report">'  # by which an earlier report is known again
STYLE = "style.css"
ESCAPED = {ord(one): f"\\u{ord(one):04x}" for one in "<>&\u2028\u2029"}  # so that no text can end its block


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person asked for beside the directory.

    Attributes:
        others: where directories are that were moved.
        excerpts: show the texts of a build that is not open instead of masking them.
        bench, target: the sets of pairs of a drift; None: see `provkit.report.drift`.
    """

    others: Sequence[Path] = ()
    excerpts: bool = False
    bench: str | None = None
    target: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """What a page shows; every text in it may come from data.

    Attributes:
        kind: what it is of: trace, build, audit, drift or aqi.
        title: of the document.
        facts: names and values at its head.
        notes: what to beware of.
        content: what the template of its kind lays out.
        blocks: what its script reads, by id: plain data whose texts are `visible` already.
        next: the next useful command.
    """

    kind: str
    title: str
    facts: Sequence[tuple[str, str]]
    notes: Sequence[str]
    content: Any
    next: str
    blocks: Mapping[str, Any] = field(default_factory=dict)


def render(page: Page) -> str:
    """A page as HTML. The same page gives the same bytes: no clock and no path that was not named.

    Raises:
        ProvkitError: when Jinja2 is not installed (the extra `report`).
    """
    environment = _environment()
    from markupsafe import Markup

    style, script = _file(STYLE), _file(f"{page.kind}.js") if page.blocks else ""
    policy = f"default-src 'none'; style-src {_hash(style)}; base-uri 'none'; form-action 'none'"
    html = environment.get_template(f"{page.kind}.html").render(
        page=page,
        content=page.content,
        version=provkit.__version__,
        mark=Markup(MARK),
        policy=policy + (f"; script-src {_hash(script)}" if script else ""),
        style=Markup(style),
        script=Markup(script),
        blocks=[(name, Markup(_json(value))) for name, value in page.blocks.items()],
    )
    return f"{html}\n"


def write(page: Page, out: Path) -> None:
    """Writes a page, whole or not at all; what stands there is replaced when it is an earlier report.

    Raises:
        ProvkitError: when something else stands there, or the place cannot be written to.
    """
    html = render(page).encode()
    out = Path(os.path.realpath(out))  # of a link, what it points to is replaced
    _refuse(out)
    new = out.with_name(f".{out.name[:100]}.{token_hex(8)}")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with new.open("xb") as file:
            file.write(html)
            file.flush()
            os.fsync(file.fileno())
        new.replace(out)
    except OSError as error:
        raise _failed(out, error) from None
    finally:
        with suppress(OSError):
            new.unlink(missing_ok=True)


def canary_note(canary: str) -> str:
    """What a page says that holds rows of a set that is not open."""
    return f"this page holds rows of a set that is not open; keep it out of training corpora: canary {canary}"


def _refuse(out: Path) -> None:
    if not out.exists():
        return
    if out.is_file():
        try:
            with out.open("rb") as file:
                if MARK.encode() in file.read(1000):
                    return
        except OSError as error:
            raise _failed(out, error) from None
    said = f"{plain(out.name)} is there and is no report that provkit made"
    raise ProvkitError(f"{said}\n  name another with -o, or move it away")


def _failed(out: Path, error: OSError) -> ProvkitError:
    said = f"cannot write {plain(out.name)}: {plain(error.strerror or str(error))}"
    return ProvkitError(f"{said}\n  nothing was changed; choose another place with -o")


@cache
def _environment() -> Environment:
    if find_spec("jinja2") is None:
        raise ProvkitError("a report needs Jinja2, which is not installed\n  pip install 'provkit[report]'")
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("provkit.report"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"share": _share, "short": _short}
    return environment


def _shown(value: Any) -> Any:
    """What an expression of a template prints: whatever it holds, nothing that hides, and numbers to be read."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return visible(value) if type(value) is str else value  # a Markup is a str of another type, and safe


def _short(value: float | None) -> str:
    """A measure to four digits; nothing where it is not defined."""
    return "" if value is None or value != value else f"{value:.4g}"


def _share(value: float | None) -> str:
    return "" if value is None or value != value else f"{100 * value:.3g} %"


def _json(value: Any) -> str:
    return orjson.dumps(value).decode().translate(ESCAPED)


@cache
def _file(name: str) -> str:
    return (files("provkit.report") / "templates" / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
