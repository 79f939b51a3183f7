import pytest
import torch
from torch.nn import functional
from transformers import GPT2Config, GPT2LMHeadModel

from compecon.tasks.objectives import classification_loss, next_token_loss, regression_loss


def test_a_student_with_its_teachers_logits_diverges_by_nothing():
    logits, labels = torch.randn(4, 3), torch.tensor([0, 1, 2, 0])
    loss = classification_loss(share=0.7)(logits, labels, logits)
    torch.testing.assert_close(loss, 0.3 * functional.cross_entropy(logits, labels))


def test_distillation_equals_hintons_formula():
    logits, soft, labels = torch.randn(4, 3), torch.randn(4, 3), torch.tensor([0, 1, 2, 0])
    p, q = (soft / 2).softmax(-1), (logits / 2).softmax(-1)
    by_hand = 4 * (p * (p / q).log()).sum(-1).mean()
    torch.testing.assert_close(classification_loss(share=1.0)(logits, labels, soft), by_hand)


def test_the_causal_loss_is_the_mean_over_predicted_tokens_as_in_the_model_itself():
    model = GPT2LMHeadModel(GPT2Config(vocab_size=50, n_positions=8, n_embd=16, n_layer=1, n_head=2)).eval()
    ids = torch.randint(0, 50, (3, 8))
    by_model = model(input_ids=ids, labels=ids)  # outside Trainer the model divides by T - 1
    torch.testing.assert_close(next_token_loss(by_model.logits, ids, None), by_model.loss)


def test_the_causal_loss_has_no_teacher():
    with pytest.raises(ValueError, match="soft targets"):
        next_token_loss(torch.zeros(1, 2, 3), torch.zeros(1, 2, dtype=torch.long), torch.zeros(1))


def test_a_regression_weighs_the_teacher_by_its_share():
    scores, targets, soft = torch.tensor([[1.0], [2.0]]), torch.tensor([0.0, 2.0]), torch.tensor([[1.0], [4.0]])
    assert regression_loss(share=0.25)(scores, targets, soft).item() == 0.75 * 0.5 + 0.25 * 2.0
    assert regression_loss(share=0.25)(scores, targets, None).item() == 0.5
