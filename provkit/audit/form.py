"""Form: whether a file is what its name says, and what a build would refuse in it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from provkit.audit.model import Example, Finding, Rule, Tally
from provkit.audit.rules import rule

NO_DATA = rule(
    "F001", "no-data", "error",
    "The file is not the data that its name promises: a Git LFS pointer, an encrypted or foreign archive, an empty "
    "file, a name that tells no format.",
    "data.jsonl holds `version https://git-lfs.github.com/spec/v1` and 130 bytes in all.",
    "Fetch, decrypt or unpack the data, or give the file the name of its format.", True,
)  # fmt: skip
ARRAY = rule(
    "F002", "array-under-jsonl", "error",
    "One JSON array under the name .jsonl: a reader of lines takes `[` for the first row, and counts of lines mean "
    "nothing.",
    "mbpp_eval_results.jsonl begins with `[` and spreads each row over seven lines.",
    "Write one object a line, or name the file .json.", True,
)  # fmt: skip
NOT_UTF8 = rule(
    "F003", "not-utf8", "error",
    "Bytes that are not UTF-8: every reader replaces or refuses them in its own way, so the text differs by reader.",
    "A line with the byte 0x92, an apostrophe of Windows-1252.",
    "Convert the file: iconv -f WINDOWS-1252 -t UTF-8.", True,
)  # fmt: skip
NOT_JSON = rule(
    "F004", "not-json", "error",
    "A line that is no JSON object: a reader that skips it loses a row without a word.",
    '`{"prompt": "a", "score": NaN}`, or a line that was cut off.',
    "Mend or remove the line; write numbers that do not exist as null.", True,
)  # fmt: skip
SCHEMA = rule(
    "F005", "schema-changes", "error",
    "Rows whose columns or types differ from the first rows': loaders drop the column, fill it, or fail half-way.",
    'Row 1 is `{"prompt", "answer"}`, row 2,041 is `{"question", "answer"}`; or `score` is 3 here and "3" there.',
    "Give every row the same columns with the same types; `fill: true` reads missing ones as null.", True,
)  # fmt: skip
MARK = rule(
    "F006", "byte-order-mark", "warning",
    "A byte-order mark becomes part of the first column's name, or breaks the first line, in readers that do not "
    "know it.",
    "The file begins with EF BB BF.",
    "Save as UTF-8 without a byte-order mark.",
)  # fmt: skip
CRLF = rule(
    "F007", "crlf", "warning",
    "Lines that end in CR LF: two copies of one content have two digests, and tools leave a \\r at the end of a text.",
    'Every line ends in `}\\r\\n`.',
    "Convert the line ends: sed -i 's/\\r$//'. (CSV is left alone: RFC 4180 asks for CR LF.)",
)  # fmt: skip
NO_NEWLINE = rule(
    "F008", "no-final-newline", "note",
    "Without a newline at its end, a file that is appended to or concatenated merges two rows into one line.",
    "`wc -l` says 499 and there are 500 rows.",
    "End the last line with a newline.",
)  # fmt: skip
DAMAGED = rule(
    "F009", "damaged-archive", "error",
    "A compressed or columnar file that ends too early or does not unpack: the rows behind the damage are lost.",
    "train.jsonl.gz is 40 MB of the 60 that were published.",
    "Fetch the file again and compare its digest.", True,
)  # fmt: skip
REFUSED = rule(
    "F010", "refused", "error",
    "`provkit build` refuses the file for another reason, which the finding gives.",
    "A column called row_id, a lone surrogate, a CSV line with a cell too many.",
    "The finding says it; a build takes the file when that is mended.", True,
)  # fmt: skip

NONE = "files"


class Form:
    """What the reader saw of one file's form, by rule."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.lines = 0
        self._seen: dict[tuple[Rule, str, str], Tally] = defaultdict(Tally)

    def saw(self, rule: Rule, said: str, example: Example | None = None, unit: str = "lines", count: int = 1) -> None:
        """One more place of a fault; places of one sentence make one finding."""
        tally = self._seen[rule, said, unit]
        if example is not None:
            tally.add(example)
            count -= 1
        tally.more(count)

    @property
    def faulty(self) -> bool:
        """Whether something was seen that a build refuses."""
        return any(rule.severity == "error" for rule, *_ in self._seen)

    def findings(self, rows: int) -> Iterator[Finding]:
        """What was seen, as findings; `rows` is how many rows were read."""
        totals = {"rows": rows, "lines": max(self.lines, 1), NONE: 1}
        for (broken, said, unit), tally in self._seen.items():
            total = max(totals[unit], tally.count)
            if not tally.examples:
                tally.examples.append(Example(self.file))
            yield tally.finding(broken, self.file, total, unit, said)
