"""Reports: a directory of provkit as one HTML page that a person reads, with nothing outside it."""

from provkit.report.kinds import read
from provkit.report.page import Asked, Page, render, write

__all__ = ["Asked", "Page", "read", "render", "write"]
