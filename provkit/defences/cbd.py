"""The contrastive belief deconfliction loss (CBD) of TRACEALIGN (arXiv 2508.02063), in a form that has a gradient.

What was released adds to the loss of DPO `lambda * sum over spans s of max(0, BCI(s) - tau)`, s the corpus spans in the
text of the arg-max tokens, with tau 10 and lambda 0.01. The arg-max is constant almost everywhere and the text is
scored outside the graph, so that term shifts the loss and never moves a weight of the model: its gradient is zero.

The form here takes the expectation in the place of the arg-max. For completions r = 1..R, positions t of them, the
completion's own token y_rt and the model's distribution p over the vocabulary V:

    L_CBD = 1/R  sum_r  1/n_r  sum_t  m_rt  E_{v ~ p(. | y_r<t)} [ W_rt(v) ]
          = 1/R  sum_r  1/n_r  sum_t  m_rt  p(y_rt | y_r<t)  w_rt

m_rt is 1 on completion tokens and 0 elsewhere, n_r = max(1, sum_t m_rt). W_rt(v), a weight for each v of V, is what the
span adds that v carries on: w_rt for v = y_rt and 0 for every other token. w is constant, out of the index: each corpus
span s of the completion spreads max(0, BCI(s) - tau) evenly over the model tokens that it touches (`cbd_weights`). So
sum_t w_rt is the released penalty of the text y_r, and n_r times the term of r is that penalty when the model is
certain of y_r. p is differentiable: d L_CBD / d logit_rt(v) = m_rt w_rt p_rt(y) (1[v = y] - p_rt(v)) / (R n_r).

Tokens outside the completion's own text have weight 0, although one of them may carry on a span as well: the term is a
lower bound of the expectation with every such weight, which would need a search for each word of the vocabulary.
"""

from __future__ import annotations

from torch import Tensor


def token_log_probs(logits: Tensor, labels: Tensor) -> Tensor:
    """Log-probability of each label.

    Args:
        logits: float, shape (rows, length, vocabulary); logits[:, t] predict the token at t.
        labels: int64, shape (rows, length); what lies outside the vocabulary, such as -100, gets 0.

    Returns:
        Float, shape (rows, length).
    """
    known = (labels >= 0) & (labels < logits.shape[-1])
    chosen = labels.masked_fill(~known, 0).unsqueeze(-1)
    found = logits.log_softmax(-1).gather(-1, chosen).squeeze(-1)
    return found.masked_fill(~known, 0.0)


def cbd_loss(log_probs: Tensor, weights: Tensor, mask: Tensor) -> Tensor:
    """The expected excess BCI of completions, per token: the formula above.

    Args:
        log_probs: float, shape (rows, length): ln p of the very token at each position; as of `token_log_probs`.
        weights: float, shape (rows, length): w, not negative; no gradient flows into them.
        mask: shape (rows, length): 1 on the tokens of completions. What stands elsewhere, NaN too, does not count.

    Returns:
        A scalar, in nats per token, of the type of `log_probs`; 0 without rows.

    Raises:
        ValueError: when the shapes differ.
    """
    if not log_probs.shape == weights.shape == mask.shape:
        shapes = ", ".join(str(tuple(one.shape)) for one in (log_probs, weights, mask))
        raise ValueError(f"log-probabilities, weights and mask of one shape are expected: {shapes}")
    kept = mask.bool()
    counted = kept & (weights != 0)
    # masked before exp: a NaN or an infinity that is multiplied by 0 would still reach sum and gradient
    probabilities = log_probs.masked_fill(~counted, 0.0).exp()
    mass = probabilities * weights.detach().masked_fill(~counted, 0.0).to(log_probs.dtype)
    per_row = mass.sum(-1) / kept.sum(-1).clamp(min=1)
    return per_row.sum() / max(len(per_row), 1)


def likeliest(logits: Tensor, completion_mask: Tensor) -> list[list[int]]:
    """The arg-max tokens at the completion's positions of each row, on which the released penalty acts.

    Args:
        logits: float, shape (rows, length, vocabulary), of a causal model: those at t predict the token at t + 1. They
            may begin with positions of virtual tokens.
        completion_mask: shape (rows, length): 1 on the tokens of completions. A token at position 0 has no prediction.
    """
    kept = completion_mask[:, 1:].bool()
    best = logits[:, -completion_mask.shape[1] : -1].argmax(-1)
    return [row[own].tolist() for row, own in zip(best, kept, strict=True)]


__all__ = ["cbd_loss", "likeliest", "token_log_probs"]
