"""Writes docs/commands.md out of the commands themselves: python docs/generate.py [--check]."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from provkit.cli import main

PAGE = Path(__file__).parent / "commands.md"


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
    if "--check" in sys.argv:
        sys.exit(PAGE.read_text(encoding="utf-8") != page() and "docs/commands.md is not current: make docs")
    PAGE.write_text(page(), encoding="utf-8")
