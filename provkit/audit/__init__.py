"""The audit: faults of fine-tuning and evaluation sets, each a rule, each fault found in a released file."""

from provkit.audit.model import Example, Finding, Measure, Read, Report, Rule
from provkit.audit.rules import explanation, rule, rules
from provkit.audit.run import Options, audit

__all__ = [
    "Example",
    "Finding",
    "Measure",
    "Options",
    "Read",
    "Report",
    "Rule",
    "audit",
    "explanation",
    "rule",
    "rules",
]
