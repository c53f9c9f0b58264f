"""Interventions of TRACEALIGN (arXiv 2508.02063) on top of an index: the shield and its calibration."""

from provkit.defences.shield import Held, Marked, Rule, Ruling, Shield

__all__ = ["Held", "Marked", "Rule", "Ruling", "Shield"]
