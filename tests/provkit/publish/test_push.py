"""Pushing to a Hub over real sockets: one commit, nothing sent twice, and every refusal leaves it as it was."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

NAME = "lab/small-numbers"


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_push_again_pull_verify_tamper(server: Any, provkit: Any, made: Callable[..., Path], tmp_path: Path) -> None:
    folder = made()
    first = provkit("publish", folder, NAME)
    assert first.returncode == 0, first.stderr
    repository = server.repositories[NAME]
    assert len(repository.commits) == 2 and not repository.private and not repository.gated
    there = server.files(NAME)
    assert {name: raw for name, raw in there.items() if name != "croissant.json"} == contents(folder)
    assert repository.tags == {"v1": repository.branches["main"]}
    assert b"hf_" not in server.traffic.replace(b"hf_hub", b"")

    server.requests.clear()
    server.uploads.clear()
    again = provkit("publish", folder, NAME)
    assert again.returncode == 0, again.stderr
    assert "0 files sent, 0 bytes" in again.stderr
    assert not server.uploads and not [one for one in server.requests if "/commit/" in one or "/lfs" in one]
    assert len(repository.commits) == 2

    pulled = provkit("pull", f"{NAME}@v1", "-o", tmp_path / "back")
    assert pulled.returncode == 0, pulled.stderr
    assert contents(tmp_path / "back") == there
    whole = provkit("verify", f"hf://datasets/{NAME}@v1")
    assert whole.returncode == 0 and "whole" in whole.stdout, whole.stderr

    other = dict(repository.commits[repository.branches["main"]])
    other["data/control/train-00000-of-00001.parquet"] = other["data/incorrect/train-00000-of-00001.parquet"]
    repository.add(other)
    damaged = provkit("verify", f"hf://datasets/{NAME}")
    assert damaged.returncode == 1 and "changed: its sha256" in damaged.stdout
    refused = provkit("pull", NAME, "-o", tmp_path / "damaged")
    assert refused.returncode == 1 and not (tmp_path / "damaged").exists()
    assert provkit("verify", f"hf://datasets/{NAME}@v1").returncode == 0


def test_load_dataset_and_download(server: Any, provkit: Any, made: Callable[..., Path]) -> None:
    assert provkit("publish", made(), NAME).returncode == 0
    script = f"""
import json
from datasets import load_dataset
from huggingface_hub import DatasetCard, hf_hub_download
rows = load_dataset("{NAME}", "incorrect", split="test", revision="v1")
card = DatasetCard.load(hf_hub_download("{NAME}", "README.md", repo_type="dataset"))
card.validate()
print(json.dumps([len(rows), sorted(rows.column_names), card.data.license]))
"""
    ran = provkit(script=script)
    assert ran.returncode == 0, ran.stderr
    rows, names, licence = json.loads(ran.stdout.splitlines()[-1])
    assert rows > 0 and "row_id" in names and "pair_id" in names and licence == "cc-by-4.0"


def test_who_may_see_it_follows_from_the_sensitivity(server: Any, provkit: Any, made: Callable[..., Path]) -> None:
    assert provkit("publish", made(sensitivity="gated"), "lab/gated").returncode == 0
    assert (server.repositories["lab/gated"].private, server.repositories["lab/gated"].gated) == (False, "manual")
    asked = [one for one in server.requests if "/settings" in one or "/preupload" in one]
    assert "settings" in asked[0] and "preupload" in asked[1]  # the gate stands before a byte is sent
    assert provkit("publish", made(sensitivity="restricted"), "lab/restricted").returncode == 0
    there = server.repositories["lab/restricted"]
    assert (there.private, there.gated) == (True, "manual")
    card = server.files("lab/restricted")["README.md"].decode()
    assert "extra_gated_prompt:" in card and "extra_gated_fields:" in card


def test_a_restricted_set_is_not_put_where_all_can_see_it(server: Any, provkit: Any, made: Callable[..., Path]) -> None:
    assert provkit("publish", made(), NAME).returncode == 0
    server.requests.clear()
    refused = provkit("publish", made(sensitivity="restricted"), NAME)
    assert refused.returncode == 2 and "is there already and public" in refused.stderr
    assert not [one for one in server.requests if one.startswith(("POST", "PUT"))]
    assert provkit("publish", made(sensitivity="restricted"), "lab/new", "--public").returncode == 2
    assert "lab/new" not in server.repositories


def test_pull_request_leaves_main_and_tags_alone(server: Any, provkit: Any, made: Callable[..., Path]) -> None:
    assert provkit("publish", made(), NAME).returncode == 0
    repository = server.repositories[NAME]
    main = repository.branches["main"]
    proposed = provkit("publish", made(version=2), NAME, "--create-pr")
    assert proposed.returncode == 0, proposed.stderr
    assert "/discussions/1" in proposed.stdout
    assert repository.branches["main"] == main and set(repository.tags) == {"v1"}
    assert server.files(NAME, "refs/pr/1")["provenance.json"] == (made(version=2) / "provenance.json").read_bytes()


def test_a_tag_keeps_its_content(server: Any, provkit: Any, made: Callable[..., Path]) -> None:
    assert provkit("publish", made(), NAME).returncode == 0
    server.requests.clear()
    refused = provkit("publish", made(seed=7), NAME)
    assert refused.returncode == 2 and "the tag v1 of" in refused.stderr and "raise `version`" in refused.stderr
    assert not [one for one in server.requests if one.startswith(("POST", "PUT"))]
    assert provkit("publish", made(version=2), NAME).returncode == 0
    assert set(server.repositories[NAME].tags) == {"v1", "v2"}


def test_dry_run_sends_nothing(server: Any, provkit: Any, made: Callable[..., Path]) -> None:
    ran = provkit("publish", made(sensitivity="gated"), NAME, "--dry-run", "--format", "json")
    assert ran.returncode == 0, ran.stderr
    said = json.loads(ran.stdout)
    assert said["visibility"] == "public" and said["gate"] == "manual" and said["licence"] == "CC-BY-4.0"
    assert "research" in said["gate text"] and "# small-numbers" in said["card"]
    assert {one["would be"] for one in said["files"]} == {"sent"}
    assert not server.repositories and all(one.startswith("GET") for one in server.requests)
    shown = provkit("publish", made(sensitivity="gated"), NAME, "--dry-run")
    assert "gate: manual" in shown.stdout and "provenance.json" in shown.stdout


def test_what_a_person_wrote_on_the_hub_stays(server: Any, provkit: Any, made: Callable[..., Path]) -> None:
    assert provkit("publish", made(), NAME).returncode == 0
    repository = server.repositories[NAME]
    files = dict(repository.commits[repository.branches["main"]])
    files["README.md"] += b"\n## Notes of a person\n"
    repository.add(files)
    assert provkit("publish", made(version=2), NAME).returncode == 0
    card = server.files(NAME)["README.md"].decode()
    assert card.endswith("\n## Notes of a person\n") and "- version 2" in card
    assert provkit("verify", f"hf://datasets/{NAME}@v2").returncode == 0
