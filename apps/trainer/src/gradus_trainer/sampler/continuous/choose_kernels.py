"""Which implementation of the kernels a device gets, and which policies it can decode."""

from __future__ import annotations

import torch

from gradus_trainer.model.config import Architecture
from gradus_trainer.sampler.continuous.kernels import Kernels
from gradus_trainer.sampler.continuous.torch_kernels import TorchKernels

LEAST_HEAD_DIM = 32


def make_kernels(device: torch.device) -> Kernels:
    """Triton on a GPU (torch's CUDA builds bring it), plain torch elsewhere."""
    if device.type != "cuda":
        return TorchKernels()
    # Triton comes with GPU builds of torch alone.
    from gradus_trainer.sampler.continuous.triton_kernels import TritonKernels  # noqa: PLC0415 - triton is there with CUDA alone

    return TritonKernels()


def supports(architecture: Architecture, device: torch.device) -> bool:
    """Whether the kernels take this head size; on a GPU a power of two that a matrix unit can halve."""
    size = architecture.head_dim
    return device.type != "cuda" or (size >= LEAST_HEAD_DIM and size & (size - 1) == 0)
