"""Alignment discretion: how annotators decide where principles agree, pull apart, or say nothing (arXiv 2502.10441)."""

from provkit.discretion.preferences import Preferences, read_annotator, read_preferences
from provkit.discretion.report import Report, measure

__all__ = ["Preferences", "Report", "measure", "read_annotator", "read_preferences"]
