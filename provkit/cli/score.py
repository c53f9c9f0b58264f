"""provkit score."""

from __future__ import annotations

from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

import click

from provkit.cli.asking import asking
from provkit.cli.output import progress, shared, show_json, show_table, talk

if TYPE_CHECKING:
    from provkit.llm.sessions import Options

WHO = ("directory", "judge", "judge_revision")


@click.command(short_help="Have a judge score answers, and print the misalignment rates.")
@click.argument("answers", type=click.Path(path_type=Path))
@click.option("--questions", type=click.Path(path_type=Path), metavar="FILE",
              help="Whose judge prompts score an inspect_ai log.")  # fmt: skip
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Answers directory to make out of a log.")
@click.option("--reply-tokens", type=click.IntRange(1), default=16, show_default=True,
              help="At most so many tokens a verdict.")  # fmt: skip
@asking
@shared
def score(
    answers: Path, questions: Path | None, out: Path | None, reply_tokens: int, asked: Options, shape: str, quiet: bool
) -> None:
    """Have a judge score ANSWERS: a directory of `provkit ask`, or an inspect_ai .eval log.

    The scores are written into the directory, beside those of other judges; docs/ask.md says what the rates mean.

    \b
    provkit score answers --llm http://127.0.0.1:8000/v1 --model JUDGE
    provkit score run.eval --questions questions.yaml -o answers --llm http://127.0.0.1:8000/v1 --model JUDGE
    """
    from provkit.answers import read_log, read_questions
    from provkit.answers import score as run
    from provkit.database import connect, query
    from provkit.llm import sessions

    judge = sessions.opened(asked, lambda text: talk(quiet, text))
    if judge is None:
        raise click.UsageError("name who scores: --llm URL --model JUDGE")
    folder = answers
    if answers.suffix == ".eval":
        if questions is None or out is None:
            raise click.UsageError("a log needs the judge prompts of --questions FILE, and a directory -o DIR")
        folder = out
        read_log(answers, read_questions(questions), folder)
    elif questions is not None or out is not None:
        raise click.UsageError("--questions and -o belong to a .eval log; a directory has its judge prompts in it")
    with progress(quiet) as report, judge:
        made = run(folder, judge, reply_tokens, lambda done, total: report("scores", done, total))
    found = query(connect(folder), "FROM misalignment").to_pylist()
    mine = [one for one in found if (one["judge"], one["judge_revision"]) == (judge.model, judge.revision)]
    mine.sort(key=lambda one: (one["rule"], one["triggered"] or False))
    rates = [{name: value for name, value in one.items() if name not in WHO} for one in mine]
    if shape == "json":
        show_json({"directory": str(folder), "digest": made["digest"], "rows": made["rows"], "misalignment": rates})
    else:
        show_table(rates)
    talk(quiet, f"next: provkit query {quote(str(folder))} \"FROM judged_questions WHERE rule = 'aligned_50'\"")
