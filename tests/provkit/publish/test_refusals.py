"""What keeps a build from being published, each refusal with what to do."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from provkit.manifest import Manifest
from provkit.publish import refusals, release_of, settings_for
from provkit.publish.licences import problems, table
from provkit.publish.refusing import Refusal
from provkit.publish.settings import Settings

SECRET = "ghp_" + "a1B2" * 9  # in pieces, so that no scanner of this repository takes it for one


def from_file(folder: Path, rows: list[dict[str, Any]], **source: Any) -> dict[str, Any]:
    path = folder / str(len(list(folder.iterdir()))) / "rows.jsonl"
    path.parent.mkdir()
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    stated = {"files": str(path), "licence": "CC-BY-4.0"} | source
    return {"sources": {"rows": stated}, "arms": {"data": []}, "pair": False, "splits": {"train": 1.0}}


def rows(answer: str) -> list[dict[str, Any]]:
    return [{"prompt": f"question {at}", "response": answer if at == 5 else f"answer {at}"} for at in range(9)]


def found(folder: Path, **options: Any) -> list[Refusal]:
    return refusals(release_of(folder), **options)


def test_a_clean_build_is_not_refused(made: Callable[..., Path]) -> None:
    assert [found(made(sensitivity=one)) for one in ("open", "gated", "restricted")] == [[], [], []]


def test_a_damaged_build_is_refused(built: Callable[..., Path]) -> None:
    folder = built()
    (folder / "notes.txt").write_text("mine")
    assert [(one.rule, one.problem) for one in found(folder)] == [("whole", "notes.txt: not part of this build")]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (f"use {SECRET} for it", "GitHub Token"),
        ("write to jane.doe@gmail.com", "an e-mail address"),
        ("see /home/jdoe/data/x.txt", "a home folder"),
        ("see C:\\Users\\jdoe\\x.txt", "a home folder of Windows"),
        ("-----BEGIN " + "RSA PRIVATE KEY-----", "a private key"),
        ("key AKIA" + "Q3EGRIPLSKDYNZBW is", "AWS Access Key"),
        ("hf_" + "aB" * 17, "a Hugging Face token"),
    ],
)
def test_secrets_are_found_in_their_row_and_not_repeated(
    made: Callable[..., Path], tmp_path: Path, answer: str, kind: str
) -> None:
    hits = found(made(**from_file(tmp_path, rows(answer))))
    assert kind in [one.problem.partition(":")[0] for one in hits]
    assert all(one.rule == "secret" and "train-00000-of-00001.parquet row 5" in one.problem for one in hits)
    assert all(max(answer.split(), key=len)[4:] not in one.problem for one in hits)


def test_what_is_marked_as_no_secret_passes(made: Callable[..., Path], tmp_path: Path) -> None:
    harmless = (
        'api_key = "example-not-a-real-secret-3f2a"  # ask anna@example.com or bob@mail.example.org, /home/user/x'
    )
    assert found(made(**from_file(tmp_path, rows(harmless)))) == []
    folder = made(**from_file(tmp_path, rows("write to press@university.edu")))
    assert found(folder) and found(folder, allow=["press@university.edu"]) == []


def test_a_secret_in_the_card_is_found(built: Callable[..., Path]) -> None:
    folder = built()
    card = folder / "README.md"
    card.write_text(card.read_text() + "\nQuestions to jane.doe@gmail.com\n")
    assert [one.problem for one in found(folder)] == ["an e-mail address: README.md (jane…)"]


def test_a_licence_that_allows_more_than_a_parent_does(made: Callable[..., Path], tmp_path: Path) -> None:
    kept = from_file(tmp_path, rows("fine"), licence="CC-BY-NC-4.0")
    (refused,) = found(made(**kept))
    assert "CC-BY-4.0 allows more than the source rows (rows.jsonl)" in refused.problem
    assert "non-commercial" in refused.problem
    assert found(made(**kept, licence="CC-BY-NC-4.0")) == []


def test_an_unknown_licence_asks(made: Callable[..., Path], tmp_path: Path) -> None:
    folder = made(**from_file(tmp_path, rows("fine"), licence="my-own-terms"))
    (asked,) = found(folder)
    assert "--accept-licence 'my-own-terms'" in asked.do
    assert found(folder, accepted=["my-own-terms"]) == []
    bare = from_file(tmp_path, rows("fine"))
    del bare["sources"]["rows"]["licence"]
    (unstated,) = found(made(**bare))
    assert "states no licence" in unstated.problem and "--accept-licence 'unstated'" in unstated.do


@pytest.mark.parametrize(
    ("own", "parent", "refused"),
    [
        ("CC0-1.0", "CC0-1.0", False),
        ("CC-BY-4.0", "CC0-1.0", False),
        ("CC0-1.0", "MIT", True),
        ("CC-BY-4.0", "Apache-2.0", False),
        ("Apache-2.0", "CC-BY-4.0", True),
        ("CC-BY-4.0", "CC-BY-SA-4.0", True),
        ("CC-BY-SA-4.0", "CC-BY-SA-3.0", False),
        ("CC-BY-SA-3.0", "CC-BY-SA-4.0", True),
        ("CC-BY-NC-SA-4.0", "CC-BY-SA-4.0", True),  # share-alike: its own licence, not a narrower one
        ("CC-BY-NC-4.0", "CC-BY-4.0", False),
        ("CC-BY-ND-4.0", "CC-BY-ND-4.0", False),  # passed on under the very same name: the rows are as they were
        ("CC-BY-4.0", "CC-BY-ND-4.0", True),
        ("odbl", "ODbL-1.0", False),
    ],
)
def test_the_order_of_licences(own: str, parent: str, refused: bool) -> None:
    assert bool(list(problems(own, {"parent": parent}))) is refused


def test_every_name_of_the_table_is_one_licence() -> None:
    assert all(other in {one.name for one in table().values()} for one in table().values() for other in one.into)


def test_rows_of_a_hub_source_need_a_commit(made: Callable[..., Path]) -> None:
    release = release_of(made())
    hub_input = [{**one, "kind": "hub", "file": "hf://datasets/org/x/default/train", "revision": "a" * 40}
                 for one in release.manifest.facts["inputs"]]  # fmt: skip
    from dataclasses import replace

    from provkit.publish.refusing import _pinned
    from provkit.table import Input

    def pinned(revision: str | None) -> list[Refusal]:
        sources = {"prompts": {"hub": "org/x"} | ({"revision": revision} if revision else {})}
        facts = release.manifest.facts | {"recipe": release.manifest.facts["recipe"] | {"sources": sources}}
        changed: Manifest = replace(release.manifest, facts=facts, inputs=[Input(**one) for one in hub_input])
        return list(_pinned(replace(release, manifest=changed)))

    assert pinned("a" * 40) == []
    for loose in (None, "main", "v1"):
        (one,) = pinned(loose)
        assert "may change" in one.problem and f"revision: {'a' * 40}" in one.do


def test_settings_follow_the_sensitivity() -> None:
    assert settings_for("open") == Settings(False, "no")
    assert settings_for("gated") == Settings(False, "manual")
    assert settings_for("restricted") == Settings(True, "manual")
    assert settings_for("gated", True, "auto") == Settings(True, "auto", True)
    for wrong in (("restricted", False, None), ("restricted", None, "no"), ("gated", None, "no")):
        with pytest.raises(Exception, match="is not published"):
            settings_for(*wrong)  # type: ignore[arg-type]


def test_the_command_refuses_before_it_asks_the_hub(
    server: Any, provkit: Any, made: Callable[..., Path], tmp_path: Path
) -> None:
    leaking = made(**from_file(tmp_path, rows(f"use {SECRET}")))
    refused = provkit("publish", leaking, "lab/leaking")
    assert refused.returncode == 1 and "not published: nothing was sent" in refused.stderr
    assert not server.requests and SECRET not in refused.stdout + refused.stderr
    doubled = made(**from_file(tmp_path, [{"prompt": "a", "response": "b"}] * 9))
    by_audit = provkit("publish", doubled, "lab/doubled", "--format", "json")
    assert by_audit.returncode == 1 and "D001" in [one["rule"] for one in json.loads(by_audit.stdout)]
    assert not server.requests
