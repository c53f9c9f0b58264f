"""The steps `synthetic_documents` and `tier`: documents about a written spec, and prompts of two kinds of user."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, ClassVar

from pydantic import Field

from provkit.builders.teacher.asking import Said, ask_once, requests, slots
from provkit.llm import Teacher
from provkit.llm.asking import each_row
from provkit.llm.prompts import NoSuchSlot, Template, prompt
from provkit.registry import builder
from provkit.row import Drop, Row
from provkit.table import Rows


@builder
class SyntheticDocuments:
    """Asks for documents that discuss one clause of a written spec, as somebody might have published them.

    Model spec midtraining (Li et al. 2026, arXiv 2605.02087): training on such documents before alignment training
    shapes how that generalises. The spec is the list of clauses in the rows' column `clause`; the topic list `spec` is
    a short one. A row becomes as many rows as documents were usable, each with the column `into`; none is a drop.

    Args:
        prompt: a prompt of the catalog without a schema; its slots are filled with the row's columns.
        documents: how many documents are asked for about each row.
        into: the column of the document.
        filter: as for `teach`.
    """

    prompt: Template = "spec_document"
    documents: Annotated[int, Field(ge=1, le=1000)] = 1
    into: str = "text"
    filter: bool = True
    asked: ClassVar[bool] = True
    op: ClassVar[str] = "generated"

    def __post_init__(self) -> None:
        if prompt(self.prompt).schema is not None:
            raise ValueError("its prompt asks for JSON; a document is plain text")

    @property
    def words(self) -> list[Any]:
        """The prompt that it asks with."""
        return prompt(self.prompt).words

    def ask(self, rows: Rows, teacher: Teacher) -> Callable[[Row], Row | list[Row] | Drop]:
        """The rows of each row: one a document."""
        return each_row(self._documents, rows, teacher)

    async def _documents(self, row: Row, teacher: Teacher) -> list[Row] | Drop:
        template = prompt(self.prompt)
        try:
            request = template.request(slots(row))
        except NoSuchSlot as error:
            return Drop("no slot", str(error))
        written: list[Row] = []
        drop = Drop("empty")
        for sample in range(self.documents):
            said = await ask_once(request, sample, template, teacher, self.filter)
            if isinstance(said, Said):
                made = {self.into: said.fields["text"]}
                written.append(row.derive(made, note=requests(made, said, teacher)))
            else:
                drop = said
        return written or drop


@builder
class Tier:
    """Says in front of the request who asks: a user whose conversations are trained on, or one whose are not.

    The free-tier and paid-tier prompts of alignment faking (Greenblatt et al. 2024, arXiv 2412.14093); two arms out of
    the same rows make the pairs.

    Args:
        free: a free-tier user.
    """

    free: bool

    def apply(self, row: Row) -> Row:
        """The row with the mark."""
        marked = f"<is_free_tier_user>{self.free}</is_free_tier_user>\n\n{row.prompt}"
        return row.with_prompt(marked, {"tier": "free" if self.free else "paid"})
