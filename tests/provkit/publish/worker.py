"""A process that runs commands of provkit against the Hub of its HF_ENDPOINT: a JSON line in, a JSON line out."""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
import traceback
from typing import Any

import huggingface_hub.utils._http as http
from click.testing import CliRunner

from provkit.cli import main


def command(arguments: list[str]) -> dict[str, Any]:
    """Exit code, stdout and stderr of `provkit ARGUMENTS`."""
    result = CliRunner().invoke(main, arguments, prog_name="provkit")
    fault = result.exception if not isinstance(result.exception, SystemExit) else None
    more = "".join(traceback.format_exception(fault)) if fault else ""
    return {"returncode": result.exit_code, "stdout": result.stdout, "stderr": result.stderr + more}


def script(text: str) -> dict[str, Any]:
    """The same of a Python script."""
    out, said, code = io.StringIO(), "", 0
    try:
        with contextlib.redirect_stdout(out):
            exec(text, {"__name__": "__main__"})
    except Exception:
        said, code = traceback.format_exc(), 1
    return {"returncode": code, "stdout": out.getvalue(), "stderr": said}


if __name__ == "__main__":
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what else is printed must not come between the answers
    http.time.sleep = lambda _: None  # the client's waits between tries
    for line in sys.stdin:
        asked = json.loads(line)
        os.environ.pop("HF_TOKEN", None)
        if asked["token"]:
            os.environ["HF_TOKEN"] = asked["token"]
        answer = script(asked["script"]) if asked["script"] else command(asked["arguments"])
        answers.write(json.dumps(answer) + "\n")
        answers.flush()
