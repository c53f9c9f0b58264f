"""The Alignment Quality Index: how far apart a representation holds safe and unsafe rows, and what confounds it."""

from provkit.aqi.compare import Side, compare
from provkit.aqi.layers import Layers, of_matrix, read_layers
from provkit.aqi.model import Change, Figure, Options, Probe, Report
from provkit.aqi.report import read, write
from provkit.aqi.rows import LabelledRows, labelled, read_set
from provkit.aqi.run import measure
from provkit.aqi.weighting import add_weighted

__all__ = [
    "Change",
    "Figure",
    "LabelledRows",
    "Layers",
    "Options",
    "Probe",
    "Report",
    "Side",
    "add_weighted",
    "compare",
    "labelled",
    "measure",
    "of_matrix",
    "read",
    "read_layers",
    "read_set",
    "write",
]
