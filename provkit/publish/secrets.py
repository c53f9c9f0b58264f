"""Looks for what must not be published: keys, tokens, e-mail addresses, home folders; in rows, lineage and texts."""

from __future__ import annotations

import bisect
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from provkit import parquet
from provkit.errors import plain

FAKE = "example-not-a-real-secret-"  # how the literals that the code domain invents begin
SKIPPED = {"Public IP (ipv4)"}  # of detect-secrets: an address is no secret
NEEDED = {  # slow patterns, looked for only where the name of the service stands
    "Cloudant Credentials": "cloudant",
    "IBM COS HMAC Credentials": "ibm",
    "IBM Cloud IAM Key": "ibm",
    "SoftLayer Credentials": "softlayer",
}
DIGESTS = {"row_id", "pair_id", "canary", "sha256", "params_digest", "request_hash", "build_id", "arm", "split"}
BATCH = 4096  # rows that are looked at together
BETWEEN = "\n\x00\n"
OWN = {
    "a Hugging Face token": r"\bhf_[A-Za-z]{30,}\b",
    "an API key": r"\bsk-(?:proj-|ant-|or-)?[A-Za-z0-9_-]{24,}",
    "a Google API key": r"\bAIza[0-9A-Za-z_-]{35}",
    "a GitHub token": r"\bgithub_pat_[A-Za-z0-9_]{40,}",
    "a bearer token": r"\bBearer\s+[A-Za-z0-9._~+/-]{24,}=*",
    "a private key": r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----",
    "an e-mail address": r"\b[A-Za-z0-9][A-Za-z0-9._%+-]*@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,24}\b",
    "a home folder": r"/home/(?<![\w.]/home/)[A-Za-z_][\w.-]*",  # a literal first: the search skips to it
    "a home folder of macOS": r"/Users/(?<![\w.]/Users/)[A-Za-z_][\w.-]*",
    "a home folder of Windows": r":\\+Users\\+[A-Za-z_][\w.-]*",
}
ROLES = "admin app demo example git guest jovyan me node office public root runner shared team test ubuntu user"
HARMLESS = re.compile(  # reserved addresses, home folders of nobody in particular, and marked inventions
    r"[^@]*@(?:[\w-]+\.)*(?:example\.(?:com|org|net|edu)|\w+\.(?:example|invalid|test|localhost)|example)"
    rf"|(?:/home/|/Users/|:\\+Users\\+)(?:{'|'.join(ROLES.split())}|username|vagrant|you)\.?"
    rf"|.*{FAKE}.*",
    re.S | re.I,
)


@dataclass(frozen=True, slots=True)
class Hit:
    """Something that looks like a secret: its kind, where it stands, and its first characters only."""

    kind: str
    file: str
    row: int | None
    shown: str

    @property
    def place(self) -> str:
        """File and row."""
        return self.file if self.row is None else f"{self.file} row {self.row}"


def in_parquet(folder: Path, name: str, allow: Collection[str] = ()) -> Iterator[Hit]:
    """What stands in the texts of a Parquet file; digests that provkit itself computes are passed over."""
    first = 0
    for batch in parquet.opened(folder / name).iter_batches(batch_size=BATCH):
        for field, column in zip(batch.schema, batch.columns, strict=True):
            if field.name in DIGESTS:
                continue
            for texts, rows in _texts(column):
                for kind, at, found in _search(texts, allow):
                    yield Hit(kind, name, first + rows[at], _shown(found))
        first += batch.num_rows


def in_text(name: str, text: str, allow: Collection[str] = ()) -> Iterator[Hit]:
    """What stands in a text, such as the card or the manifest."""
    for kind, _, found in _search([text], allow):
        yield Hit(kind, name, None, _shown(found))


@cache
def patterns() -> Sequence[tuple[str, re.Pattern[str]]]:
    """The forms that are looked for: those of detect-secrets that know a form, and our own."""
    from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class
    from detect_secrets.plugins.base import RegexBasedDetector

    found = [(kind, re.compile(pattern, re.ASCII)) for kind, pattern in OWN.items()]
    known: dict[str, Any] = get_mapping_from_secret_type_to_class()
    for kind, detector in sorted(known.items()):
        if issubclass(detector, RegexBasedDetector) and kind not in SKIPPED:
            own: Any = detector
            found += [(kind, one) for one in own.denylist]
    return found


def _search(texts: Sequence[str], allow: Collection[str]) -> Iterator[tuple[str, int, str]]:
    """Kind, position in `texts`, and the text found; one of a kind in each text."""
    whole = BETWEEN.join(texts)
    starts = [0]
    for one in texts[:-1]:
        starts.append(starts[-1] + len(one) + len(BETWEEN))
    seen: set[tuple[str, int]] = set()
    small = whole.lower()
    for kind, pattern in patterns():
        if NEEDED.get(kind, "") not in small:
            continue
        for hit in pattern.finditer(whole):
            at = bisect.bisect_right(starts, hit.start()) - 1
            line = whole[max(whole.rfind("\n", 0, hit.start()) + 1, hit.start() - 80) : hit.end()]
            if (kind, at) in seen or HARMLESS.fullmatch(hit[0]) or (FAKE in line and kind not in OWN):
                continue
            if any(one in hit[0] for one in allow):
                continue
            seen.add((kind, at))
            yield kind, at, hit[0]


def _texts(column: pa.Array) -> Iterable[tuple[list[str], list[int]]]:
    """The strings in a column, however deep, with the row of each."""
    return [(texts, rows) for texts, rows in _leaves(column, list(range(len(column)))) if texts]


def _leaves(column: pa.Array, rows: list[int]) -> Iterator[tuple[list[str], list[int]]]:
    kind = column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        values = column.to_pylist()
        kept = [at for at, value in enumerate(values) if value]
        yield [values[at] for at in kept], [rows[at] for at in kept]
    elif pa.types.is_list(kind) or pa.types.is_large_list(kind):
        owners = pc.list_parent_indices(column).to_pylist()
        yield from _leaves(pc.list_flatten(column), [rows[at] for at in owners])
    elif pa.types.is_struct(kind):
        for at in range(kind.num_fields):
            if kind.field(at).name not in DIGESTS:
                yield from _leaves(pc.struct_field(column, at), rows)


def _shown(found: str) -> str:
    return plain(found[:4]) + "…"
