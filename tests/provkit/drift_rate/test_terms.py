"""Words of categories and verdicts."""

from __future__ import annotations

import pytest

from provkit.drift_rate.terms import category_of, check_present, columns_of, outcome_of, prompt_id, terms
from provkit.errors import InputError


def test_the_five_categories_of_the_paper_and_their_other_names() -> None:
    assert terms().harmful == ["explosives", "cybercrime", "self_harm", "hate", "fraud"]
    given = ["Self-Harm", "cyber crime", "Financial Fraud", "HATE_SPEECH", "Bombs", "harmless", "weather", ""]
    wanted = ["self_harm", "cybercrime", "fraud", "hate", "explosives", "benign", None, None]
    assert [category_of(one) for one in given] == wanted
    assert category_of("hate", {"Hate": "fraud"}) == "fraud"  # the caller's word counts first


def test_no_word_means_two_things() -> None:
    import yaml

    from provkit.drift_rate import terms as module

    text = (module.files("provkit.catalog") / "drift" / "terms.yaml").read_text(encoding="utf-8")
    read = yaml.safe_load(text)
    for kind in ("categories", "verdicts", "flags"):
        words = [module.spelled(word) for name, more in read[kind].items() for word in (name, *more)]
        assert len(set(words)) == len(words), kind
    columns = [column for names in read["columns"].values() for column in names]
    assert len(set(columns)) == len(columns)


@pytest.mark.parametrize(
    ("verdict", "refused", "harmful", "outcome"),
    [
        ("2_full_refusal", None, None, "refused"),
        ("Unsafe", None, None, "harmful"),
        ("safe", None, None, "harmless"),
        ("full compliance", None, None, "complied"),
        ("perhaps", "true", "true", None),  # a verdict that cannot be read is none, whatever stands beside it
        (None, None, None, None),
        (None, "true", None, "refused"),
        (None, "1", "0", "refused"),
        (None, "yes", "1.0", "harmful"),
        (None, "false", None, "complied"),
        (None, "0.0", "no", "helped"),
        (None, None, "0", "harmless"),
        (None, None, "0.3", None),
    ],
)
def test_outcomes(verdict: str | None, refused: str | None, harmful: str | None, outcome: str | None) -> None:
    assert outcome_of(verdict, refused, harmful) == outcome


def test_columns_by_the_user_s_map_then_by_their_usual_order() -> None:
    assert columns_of(["goal", "prompt", "subset"]) == {"prompt": "prompt", "category": "subset"}
    assert columns_of(["goal", "prompt"], {"prompt": "goal"}) == {"prompt": "goal"}
    assert columns_of(["prompt"], {"prompt": "goal"}) == {"prompt": "prompt"}
    with pytest.raises(InputError, match=r"prompt: no column 'goals': did you mean 'goal'\?"):
        check_present({"prompt": "goals"}, ["goal", "prompt"])


def test_a_prompt_s_own_name_is_the_same_on_every_machine() -> None:
    import hashlib

    assert prompt_id("  Ask\tÄ ") == hashlib.sha256("ask ä".encode()).hexdigest()[:16]
