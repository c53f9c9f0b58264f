"""Writes docs/commands.md out of the commands themselves, and what docs/tutorial.md shows out of running it.

python docs/generate.py [--check]
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import click

from provkit.cli import main

PAGE = Path(__file__).parent / "commands.md"
TUTORIAL = Path(__file__).parent / "tutorial.md"
RECIPE = re.compile(r"```yaml\n(.*?)```", re.S)
SESSION = re.compile(r"(?<=```console\n)(.*?)(?=```)", re.S)


def page() -> str:
    """The reference of all commands, as Markdown."""
    parts = ["# Commands", "", "Made by `make docs` out of the commands themselves.", ""]
    for path, command in commands(main, "provkit"):
        names = main.context_settings["help_option_names"]  # what a command inherits when it is really called
        context = click.Context(
            command, info_name=path, max_content_width=100, terminal_width=100, help_option_names=names
        )
        parts += [f"## {path}", "", "```", command.get_help(context).rstrip(), "```", ""]
    return "\n".join(parts)


def tutorial() -> str:
    """The tutorial with what its commands print now, both streams, in a folder that holds its recipe."""
    text = TUTORIAL.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:  # a report's size counts the path that stands in it
        (Path(folder) / "advice.yaml").write_text(RECIPE.findall(text)[0], encoding="utf-8")
        bin_ = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        env = os.environ | {"PATH": bin_, "COLUMNS": "116", "XDG_CACHE_HOME": folder}

        def run(found: re.Match[str]) -> str:
            parts = []
            for line in found[1].splitlines():
                if line.startswith("$ "):
                    done = subprocess.run(line[2:], shell=True, cwd=folder, env=env, text=True, capture_output=True)
                    said = [row.rstrip() for row in (done.stdout + done.stderr).splitlines()]
                    parts += [line, *(row for row in said if row)]
            return "\n".join(parts) + "\n"

        return SESSION.sub(run, text)


def commands(command: click.Command, path: str) -> list[tuple[str, click.Command]]:
    """A command and all below it, by their full names."""
    found = [(path, command)]
    if isinstance(command, click.Group):
        context = click.Context(command, info_name=path)
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            if inner is not None and not inner.hidden:
                found += commands(inner, f"{path} {name}")
    return found


if __name__ == "__main__":
    pages = {PAGE: page(), TUTORIAL: tutorial()}
    if "--check" in sys.argv:
        old = [path.name for path, text in pages.items() if path.read_text(encoding="utf-8") != text]
        sys.exit(f"not current: {', '.join(old)}; make docs" if old else 0)
    for path, text in pages.items():
        path.write_text(text, encoding="utf-8")
