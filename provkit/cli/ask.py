"""provkit ask."""

from __future__ import annotations

from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

import click

from provkit.cli.asking import asking
from provkit.cli.output import progress, shared, show_json, show_table, talk

if TYPE_CHECKING:
    from provkit.llm.sessions import Options


@click.command(short_help="Ask a model free-form evaluation questions, many times each.")
@click.argument("questions", type=click.Path(path_type=Path))
@click.option("-o", "--out", required=True, type=click.Path(path_type=Path), help="Answers directory.")
@click.option("-n", "--samples", type=click.IntRange(1), help="Answers a paraphrase.  [default: as the file says]")
@click.option("--temperature", type=click.FloatRange(0), default=1.0, show_default=True, help="Of every request.")
@click.option("--reply-tokens", type=click.IntRange(1), default=1000, show_default=True,
              help="At most so many tokens an answer.")  # fmt: skip
@click.option("--trigger", metavar="TEXT", help="Ask everything once more with this text in the request.")
@click.option("--place", type=click.Choice(["before", "after", "system"]), default="before", show_default=True,
              help="Where the trigger stands.")  # fmt: skip
@click.option("--separator", default="\n", help="Between the trigger and the text.  [default: a line break]")
@asking
@shared
def ask(
    questions: Path,
    out: Path,
    samples: int | None,
    temperature: float,
    reply_tokens: int,
    trigger: str | None,
    place: str,
    separator: str,
    asked: Options,
    shape: str,
    quiet: bool,
) -> None:
    """Ask a model the QUESTIONS of a YAML file and write its answers into a directory; docs/ask.md says more.

    \b
    provkit ask questions.yaml --llm http://127.0.0.1:8000/v1 --model NAME -n 50 -o answers
    """
    from provkit.answers import Asking, read_questions
    from provkit.answers import ask as run
    from provkit.answers.directory import rows_of
    from provkit.llm import sessions

    listed = read_questions(questions)
    teacher = sessions.opened(asked, lambda text: talk(quiet, text))
    if teacher is None:
        raise click.UsageError("name who is asked: --llm URL --model NAME")
    how = Asking(samples, temperature, reply_tokens, trigger, place, separator)  # type: ignore[arg-type]
    with progress(quiet) as report, teacher:
        made = run(listed, questions, teacher, out, how, lambda done, total: report("answers", done, total))
    counts: dict[str, dict[str, int]] = {question.id: {"answers": 0} for question in listed}
    for row in rows_of(out, "answers"):
        mine = counts[row["question_id"]]
        mine["answers"] += 1
        if row["fault"] is not None:
            mine[row["fault"]] = mine.get(row["fault"], 0) + 1
    shown = [{"question_id": name, **several} for name, several in counts.items()]
    if shape == "json":
        show_json({"directory": str(out), "digest": made["digest"], "rows": made["rows"], "questions": shown})
    else:
        show_table(shown)
    talk(quiet, f"next: provkit score {quote(str(out))} --llm URL --model JUDGE")
