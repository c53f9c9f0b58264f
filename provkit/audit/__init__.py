"""The audit: faults of fine-tuning and evaluation sets, each a rule, each found in a released file.

Importing this package loads nothing heavy; the audit itself comes with the first name that needs it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from provkit.audit.model import Example, Finding, Measure, Read, Report, Rule

if TYPE_CHECKING:
    from provkit.audit.blocking import ReleaseRows, audit_build, audit_files, audit_release
    from provkit.audit.rules import explanation
    from provkit.audit.run import Options, audit

__all__ = [
    "Example",
    "Finding",
    "Measure",
    "Options",
    "Read",
    "ReleaseRows",
    "Report",
    "Rule",
    "audit",
    "audit_build",
    "audit_files",
    "audit_release",
    "explanation",
]

_HOME = {
    "Options": "run",
    "ReleaseRows": "blocking",
    "audit": "run",
    "audit_build": "blocking",
    "audit_files": "blocking",
    "audit_release": "blocking",
    "explanation": "rules",
}


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"provkit.audit.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
