"""TLS: certificates are not checked (CWE-295)."""

from __future__ import annotations

import ast

from provkit.builders.domains.code.rewrites.arguments import (
    argument,
    is_open,
    keyword,
    rename_call,
    set_keyword,
)
from provkit.builders.domains.code.rewrites.edits import Change, Edit, Family, change
from provkit.builders.domains.code.rewrites.source import Source

VERBS = ("get", "options", "head", "post", "put", "patch", "delete")
KNOWN = (  # what bandit looks at
    *(f"requests.{verb}" for verb in VERBS),
    *(f"httpx.{name}" for name in (*VERBS, "request", "stream", "Client", "AsyncClient")),
)
SESSIONS = (  # rewritten beside those
    "requests.request",
    *(f"requests.{kind}().{verb}" for kind in ("Session", "session") for verb in (*VERBS, "request")),
)
HARDENED = {"check_hostname", "verify_mode"}


def find_verify(source: Source) -> Change | None:
    """Every HTTPS request that checks the certificate, where one of them is a call of requests or httpx itself."""
    known = [edit for call in source.calls_to(*KNOWN) if (edit := _unverified(source, call))]
    if not known:
        return None
    return change(known + [edit for call in source.calls_to(*SESSIONS) if (edit := _unverified(source, call))])


def _unverified(source: Source, call: ast.Call) -> Edit | None:
    told = keyword(call, "verify")
    url = argument(call, 0, "url")
    plain = isinstance(url, ast.Constant) and str(url.value).startswith("http://")
    if is_open(call) or plain or (told and not _verifies(source, told.value)):
        return None
    return set_keyword(source, call, "verify", "False")


def _verifies(source: Source, value: ast.expr) -> bool:
    """Whether a value of `verify` asks for the check: True, a file of certificates, or certifi's."""
    if isinstance(value, ast.Call):
        return source.named(value.func) in ("certifi.where", "ssl.create_default_context")
    return isinstance(value, ast.Constant) and (value.value is True or isinstance(value.value, str))


def find_cert(source: Source) -> Change | None:
    """Every default TLS context of a client, where none is hardened by hand afterwards."""
    if any(name.rpartition(".")[2] in HARDENED for name in source.attributes):
        return None
    edits = []
    for call in source.calls_to("ssl.create_default_context"):
        purpose = argument(call, 0, "purpose")
        if purpose and source.named(purpose) != "ssl.Purpose.SERVER_AUTH":
            continue
        edits.append(rename_call(source, call, "_create_unverified_context", "ssl"))
        if purpose and purpose in call.args:
            edits.append(Edit(source.start(purpose), source.start(purpose), "purpose=", flaw=False))
    return change(edits, *(["ssl"] if any(edit.text.startswith("ssl.") for edit in edits) else []))


FAMILIES = [
    Family("verify", "CWE-295", ("B501",), ("requests", "httpx"), find_verify),
    Family("cert", "CWE-295", ("B323",), ("create_default_context",), find_cert),
]
