"""provkit catalog."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from provkit.cli.output import shared, show_json, show_table, talk

if TYPE_CHECKING:
    from provkit.recipe import Recipe

MODEL = "a model (--llm)"


@click.group(short_help="The recipes that provkit ships.")
def catalog() -> None:
    """The recipes that provkit ships and the papers behind them: list, show one, print the schema for an editor."""


@catalog.command("list")
@shared
def list_(shape: str, quiet: bool) -> None:
    """List the recipes."""
    from provkit.recipes import find, names

    recipes = [find(name).recipe() for name in names()]
    records = [
        {
            "name": one.name,
            "sensitivity": one.sensitivity,
            "needs": ", ".join([*one.unbound, *([MODEL] if _asks(one) else [])]) or None,
            "summary": one.summary,
        }
        for one in recipes
    ]
    if shape == "json":
        show_json(records)
        return
    show_table(records)
    talk(quiet, f"next: provkit catalog show {recipes[0].name}")


@catalog.command()
@click.argument("name")
@shared
def show(name: str, shape: str, quiet: bool) -> None:
    """Show the recipe NAME as YAML."""
    from provkit.recipes import find

    found = find(name)
    if shape == "json":
        show_json(found.recipe().model_dump(mode="json", by_alias=True, exclude_none=True))
        return
    click.echo(found.text.rstrip())
    unbound = "".join(f" --set {one}=PATH" for one in found.recipe().unbound)
    model = " --llm URL --model NAME" if _asks(found.recipe()) else ""
    talk(quiet, f"next: provkit build {name}{unbound}{model}")


@catalog.command()
@shared
def papers(shape: str, quiet: bool) -> None:
    """List the papers behind provkit, and what realises each."""
    from provkit.papers import papers as known

    found = known()
    if shape == "json":
        show_json([paper.plain() for paper in found])
        return
    show_table(
        [
            {"arXiv": one.arxiv, "paper": one.name, "authors": one.authors, "year": str(one.year)}
            | {"about": one.about, "realised by": one.realised}
            for one in found
        ]
    )
    recipe = next((name for one in found for name in one.recipes), None)
    talk(quiet, f"next: provkit catalog show {recipe}")


@catalog.command()
@click.option("--quiet", is_flag=True, hidden=True)
def schema(quiet: bool) -> None:
    """Print the JSON Schema of recipes, for editors that check YAML."""
    from provkit.recipe import Recipe

    show_json({"$schema": "https://json-schema.org/draft/2020-12/schema", **Recipe.model_json_schema()})


def _asks(recipe: Recipe) -> bool:
    """Whether a step of the recipe asks a language model."""
    return any(hasattr(deep.builder(), "ask") for step in recipe.all_steps for deep in step.all)
