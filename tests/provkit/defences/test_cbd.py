"""The CBD loss on tensors: values by hand, its gradient by finite differences, and what does not count."""

from __future__ import annotations

import math
from typing import Any

import pytest

torch: Any = pytest.importorskip("torch", reason="torch is not installed: pip install torch")

ROWS, LENGTH, WORDS = 3, 5, 4


def drawn() -> tuple[Any, Any, Any, Any]:
    """Logits (float64), labels, weights and mask of three rows; the last row is shorter, the first begins late."""
    torch.manual_seed(3)
    logits = 2 * torch.randn(ROWS, LENGTH, WORDS, dtype=torch.float64)
    labels = torch.randint(0, WORDS, (ROWS, LENGTH))
    weights = 5 * torch.rand(ROWS, LENGTH, dtype=torch.float64)
    weights[1, 2] = 0.0
    mask = torch.tensor([[0, 0, 1, 1, 1], [1, 1, 1, 1, 1], [0, 1, 1, 0, 0]])
    return logits, labels, weights, mask


def loss(logits: Any, labels: Any, weights: Any, mask: Any) -> Any:
    from provkit.defences.cbd import cbd_loss, token_log_probs

    return cbd_loss(token_log_probs(logits, labels), weights, mask)


def test_the_value_by_hand() -> None:
    chances = [[[0.5, 0.25, 0.25], [0.1, 0.2, 0.7]], [[0.8, 0.1, 0.1], [0.3, 0.3, 0.4]]]
    logits = torch.tensor(chances, dtype=torch.float64).log()
    labels = torch.tensor([[0, 2], [1, 0]])
    weights = torch.tensor([[4.0, 10.0], [7.0, 3.0]])
    mask = torch.tensor([[1, 1], [0, 1]])
    first, second = (0.5 * 4 + 0.7 * 10) / 2, 0.3 * 3 / 1  # two tokens, and one
    assert float(loss(logits, labels, weights, mask)) == pytest.approx((first + second) / 2, abs=1e-12)


def test_the_gradient_by_finite_differences_and_by_the_formula() -> None:
    logits, labels, weights, mask = drawn()
    logits.requires_grad_()
    loss(logits, labels, weights, mask).backward()
    step = 1e-5
    for row in range(ROWS):
        for at in range(LENGTH):
            for word in range(WORDS):
                sides = []
                for sign in (1, -1):
                    moved = logits.detach().clone()
                    moved[row, at, word] += sign * step
                    sides.append(float(loss(moved, labels, weights, mask)))
                assert float(logits.grad[row, at, word]) == pytest.approx((sides[0] - sides[1]) / (2 * step), abs=1e-8)
    chance = logits.detach().softmax(-1)
    own = torch.nn.functional.one_hot(labels, WORDS).double()
    share = (chance * own).sum(-1, keepdim=True)
    size = mask.sum(-1).view(-1, 1, 1)
    formula = (mask * weights).unsqueeze(-1) * share * (own - chance) / (ROWS * size)
    torch.testing.assert_close(logits.grad, formula, atol=1e-14, rtol=0)
    assert float(logits.grad.abs().max()) > 0.01


def test_the_released_form_does_not_move_where_this_one_does() -> None:
    from provkit.defences.cbd import likeliest

    logits, labels, weights, mask = drawn()
    moved = logits + 1e-4 * torch.randn(logits.shape, dtype=torch.float64)
    assert likeliest(moved, mask) == likeliest(logits, mask)
    assert float(loss(moved, labels, weights, mask)) != float(loss(logits, labels, weights, mask))


def test_the_likeliest_token_at_a_position_is_told_by_the_logits_before_it() -> None:
    from provkit.defences.cbd import likeliest

    logits, _, _, mask = drawn()
    by_hand = [
        [max(range(WORDS), key=logits[row, at - 1].tolist().__getitem__) for at in range(1, LENGTH) if mask[row, at]]
        for row in range(ROWS)
    ]
    assert [len(one) for one in by_hand] == [3, 4, 2]
    assert likeliest(logits, mask) == by_hand
    virtual = torch.cat([torch.randn(ROWS, 2, WORDS), logits], 1)
    assert likeliest(virtual, mask) == by_hand


def test_a_certain_model_pays_the_sum_of_the_weights() -> None:
    _, labels, weights, mask = drawn()
    certain = torch.full((ROWS, LENGTH, WORDS), -1e4, dtype=torch.float64)
    certain.scatter_(-1, labels.unsqueeze(-1), 1e4)
    expected = float((((weights * mask).sum(-1)) / mask.sum(-1)).mean())
    assert float(loss(certain, labels, weights, mask)) == pytest.approx(expected, abs=1e-12)


def test_without_weights_there_is_neither_loss_nor_gradient() -> None:
    logits, labels, weights, mask = drawn()
    logits.requires_grad_()
    found = loss(logits, labels, torch.zeros_like(weights), mask)
    found.backward()
    assert found.item() == 0 and not logits.grad.any()


@pytest.mark.parametrize("junk", [math.nan, math.inf, -math.inf, 1e30])
def test_what_is_masked_contributes_nothing(junk: float) -> None:
    from provkit.defences.cbd import cbd_loss, token_log_probs

    logits, labels, weights, mask = drawn()
    clean = token_log_probs(logits, labels).requires_grad_()
    expected = cbd_loss(clean, weights, mask)
    expected.backward()
    dirty = clean.detach().masked_fill(mask == 0, junk).requires_grad_()
    found = cbd_loss(dirty, weights.masked_fill(mask == 0, junk), mask)
    found.backward()
    assert float(found) == float(expected) and torch.equal(dirty.grad, clean.grad)
    assert not clean.grad[mask == 0].any()


def test_padding_and_further_rows_without_a_completion() -> None:
    from provkit.defences.cbd import cbd_loss, token_log_probs

    logits, labels, weights, mask = drawn()
    found = token_log_probs(logits, labels)
    longer = [torch.nn.functional.pad(one, (0, 4)) for one in (found, weights, mask)]
    assert float(cbd_loss(*longer)) == pytest.approx(float(cbd_loss(found, weights, mask)), abs=1e-15)
    empty = torch.zeros_like(mask)
    assert float(cbd_loss(found, weights, empty)) == 0
    assert float(cbd_loss(found[:0], weights[:0], mask[:0])) == 0


def test_labels_that_are_none_get_zero() -> None:
    from provkit.defences.cbd import token_log_probs

    logits, labels, _, _ = drawn()
    labels[0, 0], labels[1, 1] = -100, WORDS
    found = token_log_probs(logits, labels)
    assert float(found[0, 0]) == float(found[1, 1]) == 0
    own = logits[2, 3].tolist()
    by_hand = own[int(labels[2, 3])] - math.log(math.fsum(map(math.exp, own)))
    assert float(found[2, 3]) == pytest.approx(by_hand, abs=1e-12)


def test_shapes_that_differ_are_refused() -> None:
    from provkit.defences.cbd import cbd_loss

    with pytest.raises(ValueError, match=r"of one shape are expected: \(2, 3\), \(2, 1\), \(2, 3\)"):
        cbd_loss(torch.zeros(2, 3), torch.zeros(2, 1), torch.ones(2, 3))
