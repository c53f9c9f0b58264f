"""Run by a Python that has mlcroissant: reads croissant.json and a record of each set, and prints what it found.

It stands alone, because that Python need not have provkit; its only argument is the file.
"""

from __future__ import annotations

import itertools
import json
import os
import sys


def main(path: str) -> None:
    """Prints one JSON object: `errors`, and under `first` the first record of each record set, None without one."""
    import mlcroissant

    dataset = mlcroissant.Dataset(jsonld=path)
    errors = [str(one) for one in dataset.metadata.ctx.issues.errors]
    first = {}
    for one in dataset.metadata.record_sets if not errors else ():
        first[one.id] = next(iter(itertools.islice(dataset.records(one.id), 1)), None)
    print(json.dumps({"errors": errors, "first": first}, default=_plain))


def _plain(value: object) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


if __name__ == "__main__":
    main(sys.argv[1])
    sys.stdout.flush()
    os._exit(0)  # threads of the readers that were left after one record can abort the interpreter as it ends
