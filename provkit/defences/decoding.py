"""Prov-Decode: keeps a language model from completing stretches of the corpus that a policy vetoes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from provkit.defences.following import Follower, Growth
from provkit.defences.token_bytes import TokenBytes, token_bytes
from provkit.defences.veto import Veto
from provkit.defences.vocabulary import Vocabulary
from provkit.embed import MissingExtra
from provkit.errors import ProvkitError
from provkit.index import Index
from provkit.index.words import OTHER

try:
    import torch
    from transformers import LogitsProcessor
except ModuleNotFoundError as error:
    said = f"Prov-Decode needs {error.name}, which is not installed"
    raise MissingExtra(f"{said}\n  pip install torch 'provkit[defences]'") from None

STATES = 64  # steps whose texts are kept: assisted decoding goes back a few
JUDGED = 100_000  # stretches whose answer is kept


class ProvDecode(LogitsProcessor):
    """Gives minus infinity to each next token with which the text would hold a vetoed stretch of the corpus.

    After every token, the generated text (`tokenizer.decode(..., skip_special_tokens=True)`) holds no stretch of
    `veto.min_tokens` words or more that stands in the index, begins and ends at a word boundary on both sides, and is
    vetoed. The end of the text counts as the end of its last word, for any token may be the last one. So "the car" is
    refused even where the model meant to go on with "toon"; a token that brings both at once passes.

    Serves greedy search, sampling and beams, and several calls of `generate` one after another.

    Args:
        index: the training corpus, without `--fold`.
        veto: which stretches, see `provkit.defences.veto`.
        tokenizer: a fast tokenizer, or the bytes of each token.
        eos_token_id: what ends a text; the tokenizer's own when None. A special token is no text, so it completes
            nothing and stays allowed; where all else is vetoed it is what remains.
        prompt: whether the text begins with the prompt. If not, stretches begin in the generated text, which is judged
            as if nothing stood before it; if so, they may begin in the prompt, and must end in the generated text.

    Raises:
        InputError: for a tokenizer or an index that cannot be used.
    """

    def __init__(
        self,
        index: Index,
        veto: Veto,
        tokenizer: Any,
        eos_token_id: int | Sequence[int] | None = None,
        prompt: bool = False,
    ) -> None:
        self._index = index
        self._veto = veto
        self._prompt = prompt
        self._tokens = tokenizer if isinstance(tokenizer, TokenBytes) else token_bytes(tokenizer)
        ends = getattr(tokenizer, "eos_token_id", None) if eos_token_id is None else eos_token_id
        self._ends = [ends] if isinstance(ends, int) else list(ends or ())
        self._follower = Follower(index)
        self._judged: dict[str, bool] = {}
        self._vocabulary = Vocabulary(self._tokens, index.classes, veto.min_tokens)
        self._vocabulary.settle(self._standing)
        self._growths: OrderedDict[bytes, Growth] = OrderedDict()

    def __call__(self, input_ids: torch.LongTensor, scores: torch.Tensor) -> torch.Tensor:
        """The scores with minus infinity for vetoed tokens; shapes (rows, length) and (rows, vocabulary)."""
        vetoed = self._vetoed(self._followed(input_ids.cpu().numpy()))
        known = [tokens[tokens < scores.shape[1]] for tokens in vetoed]
        rows = np.repeat(np.arange(len(known)), [len(tokens) for tokens in known])
        if not len(rows):
            return scores
        scores = scores.clone()
        where = torch.from_numpy(np.stack([rows, np.concatenate(known)])).to(scores.device)
        scores[where[0], where[1]] = -torch.inf
        for row in sorted(set(rows.tolist())):
            if not _some_left(scores[row], known[row]):
                scores[row, self._way_out(known[row])] = 0.0
        return scores

    def _way_out(self, vetoed: NDArray[np.int64]) -> list[int]:
        """What ends the text; an end token that is text itself may be vetoed as any other."""
        ends = [one for one in self._ends if one not in vetoed]
        if not ends:
            do = "give eos_token_id, which ends the text"
            raise ProvkitError(f"every token completes a vetoed stretch\n  {do}")
        return ends

    def _followed(self, rows: NDArray[np.int64]) -> list[Growth]:
        """Each row's text, one token further than a text that is known; where one is not, a generation begins."""
        kept = [self._growths.get(row[:-1].tobytes()) for row in rows]
        fresh = any(before is None for before in kept)
        if fresh:
            self._growths.clear()
        found = []
        for row, before in zip(rows, kept, strict=True):
            key = row.tobytes()
            growth = self._growths.get(key)
            if growth is None:
                growth = self._begun(row) if fresh or before is None else self._grown(before, int(row[-1]))
            self._growths[key] = growth
            self._growths.move_to_end(key)
            found.append(growth)
        while len(self._growths) > STATES * len(rows):
            self._growths.popitem(last=False)
        return found

    def _begun(self, prompt: NDArray[np.int64]) -> Growth:
        growth = self._follower.begin()
        if self._prompt:
            for token in prompt.tolist():
                growth = self._grown(growth, token)
        return growth

    def _grown(self, growth: Growth, token: int) -> Growth:
        if not 0 <= token < len(self._tokens.of):
            return growth
        return self._follower.grow(growth, self._tokens.of[token], token in self._tokens.fallback)

    def _vetoed(self, growths: Sequence[Growth]) -> list[NDArray[np.int64]]:
        """The tokens vetoed behind each text; all stretches of a step are judged together."""
        ends = [self._follower.ends(growth, self._vocabulary) for growth in growths]
        self._judge({stretch for one in ends for stretch in one.values()})
        found = []
        for growth, one in zip(growths, ends, strict=True):
            parts = [self._vocabulary.alone(OTHER if growth.tail else growth.last)]
            for prefix, stretch in one.items():
                if self._judged[stretch]:
                    last = int(self._index.classes.of[ord(stretch[-1])])
                    parts.append(self._vocabulary.closing(prefix, last))
            found.append(parts[0] if len(parts) == 1 else np.unique(np.concatenate(parts)))
        return found

    def _standing(self, texts: Sequence[str]) -> Iterable[str]:
        """Of some texts those that stand in the corpus and are vetoed."""
        standing = [text for text, count in zip(texts, self._index.count_many(texts), strict=True) if count]
        self._judge(set(standing))
        return [text for text in standing if self._judged[text]]

    def _judge(self, stretches: set[str]) -> None:
        """Asks the policy about what it was not asked before."""
        if len(self._judged) + len(stretches) > JUDGED:
            self._judged = {}
        new = sorted(stretches - self._judged.keys())
        if new:
            self._judged.update(zip(new, map(bool, self._veto.any_of(new)), strict=True))


def _some_left(scores: torch.Tensor, vetoed: NDArray[np.int64]) -> bool:
    """Whether a token has a score above minus infinity: nearly always the first one that is not vetoed has."""
    first = int(np.append(vetoed != np.arange(len(vetoed)), True).argmax())
    if first < len(scores) and bool(scores[first] > -torch.inf):
        return True
    return bool((scores > -torch.inf).any())
