"""What provkit says when something from outside is not as it should be."""

from __future__ import annotations

LONG = 4096  # characters: no path is longer


class ProvkitError(Exception):
    """An error in plain words for the person at the keyboard; the command line prints it and exits with 2."""


class InputError(ProvkitError):
    """Something read is not as expected: where it stands, what is wrong, and what to do.

    All of it may hold text from data, so all of it is made safe for a terminal here.
    """

    def __init__(
        self,
        problem: str,
        *,
        file: object = None,
        line: int | None = None,
        field: str | None = None,
        do: str | None = None,
    ) -> None:
        self.file, self.line, self.field, self.problem, self.do = file, line, field, problem, do
        where = "" if file is None else plain(str(file), LONG) + (f":{line}" if line is not None else "") + ": "
        at = f"{plain(field)}: " if field is not None else ""
        super().__init__(f"{where}{at}{plain(problem, LONG)}" + (f"\n  {plain(do, LONG)}" if do else ""))

    def __reduce__(self) -> tuple[object, ...]:
        return _restored, (self.problem, self.file, self.line, self.field, self.do)


class FaultyBuilder(ProvkitError):
    """A builder raised, or answered a row with something that is neither rows nor a drop."""


def plain(text: str, limit: int = 200) -> str:
    """Text from data, safe to print on a terminal: control and bidirectional characters as escapes, cut at `limit`."""
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text[: limit + 1])
    return shown if len(text) <= limit else shown[:limit] + "…"


def _restored(problem: str, file: object, line: int | None, field: str | None, do: str | None) -> InputError:
    return InputError(problem, file=file, line=line, field=field, do=do)
