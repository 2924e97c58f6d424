"""How far sampled log-probabilities are from those of the trainer's forward pass, with and without FP8 weights."""

from __future__ import annotations

import torch
from torch import Tensor

from gradus_trainer.bench_generator.measure import Workload
from gradus_trainer.model.attention import causal_attention
from gradus_trainer.model.decoder import Decoder
from gradus_trainer.sampler.continuous.generator import Generator
from gradus_trainer.sampler.continuous.kernels import Kernels
from gradus_trainer.sampler.continuous.weights import Quantisation
from gradus_trainer.sampler.job import Job


@torch.inference_mode()
def trainer_logprobs(decoder: Decoder, prompt: list[int], ids: list[int]) -> Tensor:
    """Log-probabilities [len(ids)] of a completion by the decoder's own forward pass, in its compute dtype."""
    row = torch.tensor([prompt + ids], device=decoder.embedding.device)
    inputs, target_N = row[:, :-1], row[0, len(prompt) :]
    select = torch.arange(len(prompt) - 1, inputs.shape[1], device=row.device)
    hidden_NH = decoder(inputs, decoder.rope_from_start(inputs.shape[1]), causal_attention, select)
    logits_NV = (hidden_NH.to(decoder.compute) @ decoder.head.to(decoder.compute).t()).float()
    logprob_N: Tensor = logits_NV.log_softmax(dim=-1).gather(1, target_N[:, None]).squeeze(1)
    return logprob_N


def gap(decoder: Decoder, kernels: Kernels, quantisation: Quantisation) -> dict[str, float]:
    """Mean and greatest |log-probability difference|, k3 = mean(exp(d) − d − 1), over 16 rows of 64 tokens."""
    job = Job(Workload(16, 4, 64, 64).chunk(decoder.architecture.vocab_size, 5))
    Generator(decoder, kernels, quantisation).run([job])
    done, prompts = job.answer.result(), job.chunk.prompts
    differences = [
        trainer_logprobs(decoder, prompts[row // 4], ids).cpu() - torch.tensor(done.logprobs[row])
        for row, ids in enumerate(done.token_ids)
    ]
    d = torch.cat(differences).double()
    return {
        "mean_abs": round(float(d.abs().mean()), 5),
        "max_abs": round(float(d.abs().max()), 5),
        "k3": float(f"{float((d.exp() - d - 1).mean()):.3g}"),
    }


def fp8_gap(decoder: Decoder, kernels: Kernels) -> dict[str, dict[str, float]]:
    """The gap without and with FP8."""
    return {"none": gap(decoder, kernels, "none"), "fp8": gap(decoder, kernels, "fp8")}
