"""Sources: what a recipe's rows are read from, each row with its locator."""

from provkit.sources.files import Bytes, expand, format_of, open_bytes
from provkit.sources.indices import IndexOrigin
from provkit.sources.origins import BuildOrigin, FileOrigin, GeneratorOrigin, HubOrigin
from provkit.sources.read import read_file
from provkit.sources.spool import Origin, SourceRows, spool

__all__ = [
    "BuildOrigin",
    "Bytes",
    "FileOrigin",
    "GeneratorOrigin",
    "HubOrigin",
    "IndexOrigin",
    "Origin",
    "SourceRows",
    "expand",
    "format_of",
    "open_bytes",
    "read_file",
    "spool",
]
