"""DPO with the CBD loss: TRL's DPOTrainer with one term more, and the collator that brings the weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from provkit.defences.cbd_weights import TokenWeights
from provkit.defences.shield import Shield
from provkit.defences.token_bytes import token_bytes
from provkit.embed import MissingExtra
from provkit.errors import ProvkitError

try:
    import torch
    from trl import DPOTrainer
    from trl.trainer.dpo_trainer import DataCollatorForPreference

    from provkit.defences.cbd import cbd_loss, likeliest
except ModuleNotFoundError as error:
    said = f"training with the CBD loss needs {error.name}, which is not installed"
    raise MissingExtra(f"{said}\n  pip install 'provkit[defences]'") from None

WEIGHTS = "cbd_weights"  # of a batch: float32, shape (2 pairs, length)


@dataclass(frozen=True, slots=True)
class CbdCollator:
    """TRL's batch of preferences, with a weight for each of its tokens: 0 on prompts and padding.

    Attributes:
        base: TRL's collator; it truncates and pads on the right, and so do the weights.
        weights: of completions.
    """

    base: Any
    weights: TokenWeights

    def __call__(self, examples: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """A batch; the chosen sides of all pairs come first, then the rejected ones, as TRL has them."""
        batch: dict[str, Any] = self.base(examples)
        sides = [(one["prompt_ids"], one[side]) for side in ("chosen_ids", "rejected_ids") for one in examples]
        found = self.weights.of([completion for _, completion in sides])
        most = self.base.max_length
        start = -most if most is not None and self.base.truncation_mode == "keep_end" else None
        kept = slice(start, None if start is not None else most)
        weights = torch.zeros(batch["input_ids"].shape, dtype=torch.float32)
        for row, ((prompt, _), own) in enumerate(zip(sides, found, strict=True)):
            values = torch.tensor([*[0.0] * len(prompt), *own][kept])
            weights[row, : len(values)] = values
        return {**batch, WEIGHTS: weights}


class CbdDpoTrainer(DPOTrainer):  # type: ignore[misc]  # TRL is not typed
    """TRL's DPOTrainer whose loss is that of DPO + weight * L_CBD; `provkit.defences.cbd` has the formula.

    The term is differentiable, other than the one that was released with TRACEALIGN (arXiv 2508.02063), which acts on
    arg-max tokens: that one is computed too, and only reported. Beside TRL's own figures the log has

    - `cbd/loss`: L_CBD, before `weight`, in nats per token;
    - `cbd/released_penalty`: sum over corpus spans of max(0, BCI - tau) in the arg-max text, a completion, in nats.

    Args:
        shield: the index, and the rule that says which spans count: `Shield(index, rule=Rule(tau=10))` for those that
            were released, `Shield(index, conflicts)` for spans that stand against a policy.
        weight: of the term: lambda, 0.01 in what was released. With 0 the loss is that of DPO.
        report_every: the released penalty costs a forward pass without gradient: it is computed every so many steps of
            training, and for every batch of an evaluation; never with 0.
        arguments: those of DPOTrainer, all by name. Preferences are text; its collator is TRL's.
    """

    data_collator: Any

    def __init__(self, *, shield: Shield, weight: float = 0.01, report_every: int = 10, **arguments: Any) -> None:
        super().__init__(**arguments)
        if not isinstance(self.data_collator, DataCollatorForPreference):
            raise ProvkitError("the CBD loss is for preferences of text\n  leave data_collator out, and images")
        self.cbd_weight = weight
        self.report_every = report_every
        self.token_weights = TokenWeights(shield, token_bytes(self.processing_class))
        self.data_collator = CbdCollator(self.data_collator, self.token_weights)

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """The loss of DPO and, added to it, `weight` times the expected excess BCI."""
        listening = _Listening(model)
        bare = {name: value for name, value in inputs.items() if name != WEIGHTS}
        found = super().compute_loss(listening, bare, return_outputs, num_items_in_batch)
        mask = bare["completion_mask"][:, 1:]
        log_probs = listening.outputs.log_probs[:, -mask.shape[1] :]
        term = cbd_loss(log_probs.float(), inputs[WEIGHTS][:, 1:], mask)
        self._report(model, bare, term)
        if return_outputs:
            return found[0] + self.cbd_weight * term, found[1]
        return found + self.cbd_weight * term

    def compute_ref_log_probs(self, model: Any, inputs: dict[str, Any]) -> Any:
        """As DPOTrainer does, which would hand the weights to the model."""
        return super().compute_ref_log_probs(model, {name: one for name, one in inputs.items() if name != WEIGHTS})

    def _report(self, model: Any, inputs: dict[str, Any], term: Any) -> None:
        training = self.model.training
        metrics = self._metrics["train" if training else "eval"]
        metrics["cbd/loss"].append(self.accelerator.gather(term.detach()).mean().item())
        if self.report_every and not (training and self.state.global_step % self.report_every):
            with torch.no_grad():
                logits = model(input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"]).logits
            own = self.token_weights.released_penalty(likeliest(logits, inputs["completion_mask"]))
            all_of_them = self.accelerator.gather(torch.tensor(own, device=logits.device))
            metrics["cbd/released_penalty"].append(all_of_them.mean().item())


class _Listening:
    """A model that keeps what its first call gave: the log-probabilities that DPOTrainer computes and drops."""

    def __init__(self, model: Any) -> None:
        self.model = model
        self.outputs: Any = None

    def __call__(self, *inputs: Any, **named: Any) -> Any:
        found = self.model(*inputs, **named)
        if self.outputs is None:
            self.outputs = found
        return found

    def __getattr__(self, name: str) -> Any:
        return getattr(self.model, name)
