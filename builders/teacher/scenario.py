"""The generator `scenarios` and the step `scenario`: scripted conversations of several turns, played with a model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from importlib.resources import files
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from provkit.builders.teacher.asking import held_back
from provkit.chance import Chance
from provkit.llm import Request, Teacher
from provkit.llm.asking import each_row
from provkit.registry import builder, near
from provkit.row import Drop, Row
from provkit.table import Rows

Text = Annotated[str, Field(min_length=1)]


class Script(BaseModel):
    """One scenario: what the system turn says, what the user says turn by turn, and what a reader should look for.

    Scripts are fixed: nothing here searches for turns that make a model behave worse.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Annotated[str, Field(pattern="^[a-z0-9][a-z0-9-]*$")]
    system: Text | None = None
    turns: Annotated[list[Text], Field(min_length=2)]
    watch: Text


@cache
def scripts(name: str) -> tuple[Script, ...]:
    """The scenarios of one file of catalog/scenarios.

    Raises:
        ValueError: when there is none of that name, or it does not fit the schema.
    """
    import yaml

    folder = files("provkit.catalog") / "scenarios"
    known = sorted(one.name.removesuffix(".yaml") for one in folder.iterdir() if one.name.endswith(".yaml"))
    if name not in known:
        raise ValueError(f"no scenarios {name!r} in the catalog{near(name, known)}")
    found = yaml.safe_load((folder / f"{name}.yaml").read_text(encoding="utf-8"))
    return tuple(TypeAdapter(list[Script]).validate_python(found))


@builder
class Scenarios:
    """Rows out of scripts: scenario, system, turns and watch.

    Args:
        name: a file of catalog/scenarios.
    """

    name: str = "office"

    def __post_init__(self) -> None:
        scripts(self.name)

    @property
    def words(self) -> list[Any]:
        """The scripts."""
        return [one.model_dump() for one in scripts(self.name)]

    def generate(self, chance: Chance) -> Iterator[dict[str, Any]]:
        """The rows, in an order that the seed gives."""
        for one in chance.shuffled(scripts(self.name)):
            yield {"scenario": one.id, "system": one.system or "", "turns": one.turns, "watch": one.watch}


@builder
class Scenario:
    """Plays a script: says each turn in order, and has the model answer with all of the conversation before it.

    Any rows with the columns `turns` (texts) and `system` can be played. The row gets the column messages; its note has
    the request of each turn. One turn that is refused, held back, cut short, empty or filtered drops the row.

    Args:
        temperature: of every request.
        reply_tokens: at most so many tokens a turn.
        filter: as for `teach`.
    """

    temperature: Annotated[float, Field(ge=0, le=2)] = 0.7
    reply_tokens: Annotated[int, Field(ge=1)] = 500
    filter: bool = True
    asked: ClassVar[bool] = True
    op: ClassVar[str] = "generated"

    def ask(self, rows: Rows, teacher: Teacher) -> Callable[[Row], Row | Drop]:
        """The rows with their conversations."""
        return each_row(self.one, rows, teacher)

    async def one(self, row: Row, teacher: Teacher) -> Row | Drop:
        """The same for one row."""
        turns, system = row.get("turns"), row.get("system")
        if not isinstance(turns, list) or not turns or not all(isinstance(turn, str) for turn in turns):
            return Drop("no turns", "the column `turns` is no list of texts")
        said = [{"role": "system", "content": system}] if isinstance(system, str) and system else []
        settings = {"temperature": self.temperature, "max_tokens": self.reply_tokens}
        keys: dict[str, str] = {}
        for number, turn in enumerate(turns, 1):
            said.append({"role": "user", "content": turn})
            answer = await teacher.answer(Request(list(said), settings))
            detail = f"turn {number}, request {answer.key[:16]}"
            if answer.fault is not None:
                return Drop(answer.fault, detail)
            if self.filter and (held := held_back(answer, answer.text)) is not None:
                return Drop(held.reason, f"turn {number}, {held.detail}")
            said.append({"role": "assistant", "content": answer.text.strip()})
            keys[f"turn {number}"] = answer.key
        last = keys[f"turn {len(turns)}"]
        note = {"request": last, "model": teacher.model, "requests": {"messages": last} | keys}
        return row.derive({"messages": said}, note=note, without=["turns", "system"])
