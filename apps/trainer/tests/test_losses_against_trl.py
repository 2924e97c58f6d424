"""Losses and their gradients beside TRL's own trainer, on the same weights and tokens, where TRL has the loss."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from gradus_trainer.engine.step import objective_of, token_columns
from gradus_trainer.engine.trunk import Padded
from gradus_trainer.model.head_loss import Targets, head_loss
from gradus_trainer.model.load import load_directory, save_directory
from gradus_trainer.model.weights import hugging_face_views
from gradus_trainer.tokenizer import character_tokenizer
from gradus_trainer.wire.batch import Batch
from gradus_trainer.wire.fields import Fields
from gradus_trainer.wire.loss_spec import Importance, LossSpec
from gradus_trainer.wire.metadata import UpdateSpec
from tests import tiny

PROMPT, LONGEST, TEMPERATURE, CAP = 4, 9, 0.8, 1.1
LENGTHS = [9, 3, 6, 1, 7, 8]
TOKENS, ROWS = sum(LENGTHS), len(LENGTHS)


@dataclasses.dataclass(frozen=True)
class Case:
    """TRL's settings, and the same in the protocol's words."""

    trl: dict[str, Any]
    loss: LossSpec
    normaliser: str = "tokens"
    denominator: float = TOKENS
    corrected: bool = False


CLIP = {"epsilon": 0.2, "epsilon_high": 0.28}
CASES = {
    "GRPO": Case({"loss_type": "grpo"} | CLIP, LossSpec("clipped", 0.2, 0.28), "sequences", ROWS),
    "DAPO": Case({"loss_type": "dapo"} | CLIP, LossSpec("clipped", 0.2, 0.28)),
    "BNPO": Case({"loss_type": "bnpo"} | CLIP, LossSpec("clipped", 0.2, 0.28)),
    "Dr. GRPO": Case({"loss_type": "dr_grpo"} | CLIP, LossSpec("clipped", 0.2, 0.28), "constant", ROWS * LONGEST),
    "GSPO": Case(
        {"loss_type": "grpo", "importance_sampling_level": "sequence", "epsilon": 0.03, "epsilon_high": 0.04},
        LossSpec("gspo", 0.03, 0.04),
        "sequences",
        ROWS,
    ),
    # TRL bounds CISPO's ratio from above alone, by the bound itself
    "CISPO": Case({"loss_type": "cispo", "epsilon_high": 1.1}, LossSpec("cispo", 1.0, 0.1)),
    "KL": Case(
        {"loss_type": "dapo", "beta": 0.04, "use_bias_correction_kl": False} | CLIP,
        LossSpec("clipped", 0.2, 0.28, 0.04),
    ),
    "entropy": Case({"loss_type": "dapo", "entropy_coef": 0.02} | CLIP, LossSpec("clipped", 0.2, 0.28, 0.0, 0.02)),
    "truncated importance, KL": Case(
        {"loss_type": "dapo", "beta": 0.04, "use_bias_correction_kl": False} | CLIP,
        LossSpec("clipped", 0.2, 0.28, 0.04, 0.0, Importance("truncate", high=CAP)),
        corrected=True,
    ),
}


@dataclasses.dataclass(frozen=True)
class Columns:
    """Completions, padded to [rows, longest], and log-probabilities of other policies near the current one."""

    prompt: torch.Tensor
    completion: torch.Tensor
    mask: torch.Tensor
    old: torch.Tensor
    sampler: torch.Tensor
    reference: torch.Tensor
    advantage: torch.Tensor


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("policy")
    save_directory(place, tiny.decoder(), character_tokenizer(Fields(tiny.CHARACTERS)))
    return place


def trl_trainer(place: Path, folder: Path, case: Case) -> Any:
    from datasets import Dataset
    from transformers import PreTrainedTokenizerFast
    from trl import GRPOConfig, GRPOTrainer

    words = PreTrainedTokenizerFast(tokenizer_file=str(place / "tokenizer.json"), pad_token="<pad>", eos_token="<end>")
    settings = GRPOConfig(
        output_dir=str(folder),
        use_cpu=True,
        bf16=False,
        report_to=[],
        per_device_train_batch_size=2,
        num_generations=2,
        max_completion_length=LONGEST,
        temperature=TEMPERATURE,
        model_init_kwargs={"dtype": "float32"},
        gradient_checkpointing=False,
        **case.trl,
    )
    made = GRPOTrainer(
        model=str(place),
        args=settings,
        reward_funcs=lambda completions, **_: [0.0 for _ in completions],
        train_dataset=Dataset.from_dict({"prompt": ["abc", "abd"]}),
        processing_class=words,
    )
    made.current_gradient_accumulation_steps = 1
    made.model.train()
    return made


def trl_logprobs(trainer: Any, prompt: torch.Tensor, completion: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    ids = torch.cat((prompt, completion), 1)
    whole = torch.cat((torch.ones_like(prompt), mask), 1)
    return trainer._get_per_token_logps_and_entropies(trainer.model, ids, whole, LONGEST)[0].detach()


def columns_of(trainer: Any) -> Columns:
    """Random tokens; other policies' log-probabilities lie around the current one's, so ratios cross the bounds."""
    random = np.random.default_rng(5)
    prompt = torch.tensor(random.integers(2, tiny.VOCAB, (ROWS, PROMPT)))
    mask = torch.tensor([[1] * length + [0] * (LONGEST - length) for length in LENGTHS])
    completion = torch.tensor(random.integers(2, tiny.VOCAB, (ROWS, LONGEST))) * mask
    current = trl_logprobs(trainer, prompt, completion, mask)

    def near(spread: float) -> torch.Tensor:
        moved = current + torch.tensor(random.normal(0, spread, current.shape), dtype=torch.float32)
        return moved.clamp(max=-1e-3)

    advantage = torch.tensor(random.normal(size=ROWS), dtype=torch.float32)
    old = near(0.25)
    return Columns(prompt, completion, mask, old, near(0.25), near(0.3), advantage)


def theirs(trainer: Any, case: Case, columns: Columns) -> tuple[float, dict[str, torch.Tensor]]:
    """TRL's loss and gradients by parameter."""
    inputs = {
        "prompt_ids": columns.prompt,
        "prompt_mask": torch.ones_like(columns.prompt),
        "completion_ids": columns.completion,
        "completion_mask": columns.mask,
        "advantages": columns.advantage,
        "old_per_token_logps": columns.old,
        "ref_per_token_logps": columns.reference,
        "num_items_in_batch": torch.tensor(float(TOKENS)),
    }
    if case.corrected:
        trainer.use_vllm = trainer.vllm_importance_sampling_correction = True
        inputs["importance_sampling_ratio"] = torch.exp(columns.old - columns.sampler).clamp(max=CAP)
        inputs["sampling_per_token_logps"] = columns.sampler
    # the accumulation window is this one batch
    trainer.args.steps_per_generation = 1
    loss = trainer._compute_loss(trainer.model, inputs)
    loss.backward()
    return float(loss.detach()), {name: parameter.grad for name, parameter in trainer.model.named_parameters()}


def ours(place: Path, case: Case, columns: Columns) -> tuple[float, dict[str, torch.Tensor]]:
    """The loss and gradients of an update with the same tokens, without the optimizer's step."""
    decoder, _ = load_directory(place, torch.device("cpu"), torch.float32)
    rows = [
        columns.prompt[row].tolist() + columns.completion[row, :length].tolist() for row, length in enumerate(LENGTHS)
    ]

    def flat(values: torch.Tensor) -> np.ndarray:
        parts = [np.concatenate((np.zeros(PROMPT), values[row, :length].numpy())) for row, length in enumerate(LENGTHS)]
        return np.concatenate(parts).astype(np.float32)

    batch = Batch(
        sample_id=[str(row) for row in range(ROWS)],
        offsets=np.concatenate(([0], np.cumsum([len(row) for row in rows]))).astype(np.int64),
        token_ids=np.concatenate(rows).astype(np.int32),
        loss_mask=flat(columns.mask).astype(np.uint8),
        temperature=np.full(ROWS, TEMPERATURE, np.float32),
        sample_weight=np.ones(ROWS, np.float32),
        rollout_logprob=flat(columns.sampler),
        old_logprob=flat(columns.old),
        ref_logprob=flat(columns.reference),
        advantage=columns.advantage.numpy(),
    )
    spec = UpdateSpec("r", 1, 0, 0.0, case.loss, case.normaliser, float(case.denominator))
    token, trunk, total = token_columns(batch, spec), Padded(decoder, 32), 0.0
    for micro in trunk.lay_out(batch):
        hidden, select_N = trunk.hidden(micro)
        settings = (decoder.compute, case.loss.whole_sequences, case.loss.entropy_coef > 0)
        targets = Targets(micro.target_N, micro.temperature_N, select_N, *settings)
        loss = head_loss(hidden, decoder.head, targets, objective_of(case.loss, token, micro))[0]
        loss.backward()
        total += float(loss)
    gradients = hugging_face_views(decoder, lambda parameter: parameter.grad)
    return total, gradients


@pytest.mark.parametrize("name", list(CASES))
def test_loss_and_gradient_equal_those_of_trl(name: str, policy: Path, tmp_path: Path):
    case = CASES[name]
    trainer = trl_trainer(policy, tmp_path, case)
    columns = columns_of(trainer)
    expected, slopes = theirs(trainer, case, columns)
    found, gradients = ours(policy, case, columns)
    assert found == pytest.approx(expected, rel=2e-5, abs=1e-6)
    assert set(gradients) == set(slopes)
    for parameter, slope in slopes.items():
        assert float((gradients[parameter] - slope).norm()) <= 2e-4 * float(slope.norm()) + 1e-7, parameter


def test_the_cases_reach_the_bounds(policy: Path, tmp_path: Path):
    trainer = trl_trainer(policy, tmp_path, CASES["DAPO"])
    columns = columns_of(trainer)
    current = trl_logprobs(trainer, columns.prompt, columns.completion, columns.mask)
    ratio = torch.exp(current - columns.old)[columns.mask == 1]
    assert (ratio < 0.8).any()
    assert (ratio > 1.28).any()
    assert (torch.exp(columns.old - columns.sampler)[columns.mask == 1] > CAP).any()
