"""The answers that were paid for, in one SQLite file that several builds may share."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType

from provkit.errors import InputError, ProvkitError
from provkit.llm.model import Answer

FORMAT = 1
# with row numbers: rows are large, and a tree of keys alone is shallow enough to make look-ups twice as fast
TABLE = """
CREATE TABLE IF NOT EXISTS answers (
    key TEXT PRIMARY KEY, model TEXT NOT NULL, revision TEXT NOT NULL, sample INTEGER NOT NULL, request TEXT NOT NULL,
    text TEXT NOT NULL, finish TEXT NOT NULL, refusal TEXT NOT NULL,
    prompt_tokens INTEGER NOT NULL, completion_tokens INTEGER NOT NULL, seconds REAL NOT NULL
)
"""
FIELDS = "key, text, finish, refusal, prompt_tokens, completion_tokens"
BUSY = 60.0  # seconds to wait for another build that writes


class Cache:
    """Answers by key. An answer is on disk when `put` returns; a killed process loses those in flight alone.

    The file is in WAL mode: builds that share it read while another writes. The first answer to a request stays:
    who comes second reads that one.
    """

    def __init__(self, path: Path) -> None:
        """Opens the file, or makes it.

        Raises:
            InputError: when it cannot be opened, or is no cache of this version.
        """
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, timeout=BUSY, isolation_level=None)
            self._write_ahead()
            self._db.execute("PRAGMA synchronous = NORMAL")
            found = self._db.execute("PRAGMA user_version").fetchone()[0]
            if found not in (0, FORMAT):
                raise InputError(f"a cache of format {found}, this provkit reads {FORMAT}", file=path)
            self._db.execute(TABLE)
            self._db.execute(f"PRAGMA user_version = {FORMAT}")
        except (sqlite3.Error, OSError) as error:
            raise InputError(f"no cache of answers: {error}", file=path, do="name another with --cache FILE") from None

    def __enter__(self) -> Cache:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Closes the file."""
        self._db.close()

    def get(self, key: str) -> Answer | None:
        """The answer to a request; None when there is none."""
        try:
            row = self._db.execute(f"SELECT {FIELDS} FROM answers WHERE key = ?", (key,)).fetchone()
        except sqlite3.Error as error:
            raise self._failed(error) from None
        return Answer(*row) if row else None

    def put(self, answer: Answer, asked: tuple[str, str, int, str], seconds: float = 0.0) -> Answer:
        """Stores an answer; returns the one that now stands under its key.

        Args:
            answer: the answer, with its key.
            asked: model, revision, sample index, and the request as canonical JSON.
            seconds: how long it took.

        Raises:
            ProvkitError: when the disk is full, or the file cannot be written.
        """
        said = (answer.text, answer.finish, answer.refusal, answer.prompt_tokens, answer.completion_tokens)
        row = (answer.key, *asked, *said, seconds)
        try:
            self._db.execute(f"INSERT OR IGNORE INTO answers VALUES ({','.join('?' * len(row))})", row)
        except sqlite3.Error as error:
            raise self._failed(error) from None
        except UnicodeEncodeError:
            raise ProvkitError("the endpoint answered with text that is no Unicode (a lone surrogate)") from None
        return self.get(answer.key) or answer

    def records(self, keys: Iterable[str]) -> Iterator[tuple[object, ...]]:
        """For each key all that is kept of request and answer, but for the time that it took.

        Raises:
            ProvkitError: when one is gone, or the file cannot be read.
        """
        for key in keys:
            try:
                row = self._db.execute("SELECT * FROM answers WHERE key = ?", (key,)).fetchone()
            except sqlite3.Error as error:
                raise self._failed(error) from None
            if row is None:
                raise InputError(f"the answer {key[:16]} is gone from the cache", file=self.path)
            yield row[:-1]

    def __len__(self) -> int:
        return int(self._db.execute("SELECT count(*) FROM answers").fetchone()[0])

    def _write_ahead(self) -> None:
        """Turns on the write-ahead log: SQLite does not wait by itself when two processes do so to a new file."""
        end = time.monotonic() + BUSY
        while True:
            try:
                self._db.execute("PRAGMA journal_mode = WAL")
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                    raise
                time.sleep(0.05)

    def _failed(self, error: sqlite3.Error) -> ProvkitError:
        do = "what is stored stays: mend this and run the same command again"
        return InputError(f"the cache of answers: {error}", file=self.path, do=do)
