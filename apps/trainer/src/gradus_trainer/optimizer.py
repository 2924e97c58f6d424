"""AdamW over a decoder, its gradient clipping, and its moments by Hugging Face name."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor

from gradus_trainer.adamw_bf16 import AdamWBF16
from gradus_trainer.model.decoder import Decoder
from gradus_trainer.model.weights import hugging_face_views
from gradus_trainer.wire.run_body import OptimizerSpec

MOMENTS = ("exp_avg", "exp_avg_sq")
CLIP_SLACK = 1e-6
"""What PyTorch's clipping adds to the norm."""


class Optimizer:
    """Decoupled weight decay on matrices only; one learning rate a step; moments in FP32, or in BF16 to save memory."""

    def __init__(self, decoder: Decoder, spec: OptimizerSpec, parameters: list[Tensor] | None = None) -> None:
        """`parameters` are what is updated in place of the decoder's own: the parts of them that are here."""
        parameters = list(decoder.parameters()) if parameters is None else parameters
        matrices = [parameter for parameter in parameters if parameter.ndim > 1]
        vectors = [parameter for parameter in parameters if parameter.ndim == 1]
        groups = [{"params": matrices, "weight_decay": spec.weight_decay}, {"params": vectors, "weight_decay": 0.0}]
        self._decoder = decoder
        self._parameters = parameters
        self._max_grad_norm = spec.max_grad_norm
        settings: dict[str, Any] = {"lr": 0.0, "betas": (spec.beta1, spec.beta2), "eps": spec.epsilon}
        self._moment_dtype = torch.bfloat16 if spec.moments == "bfloat16" else torch.float32
        self._adamw: torch.optim.Optimizer
        if spec.moments == "bfloat16":
            self._adamw = AdamWBF16(groups, **settings)
        else:
            self._adamw = torch.optim.AdamW(groups, **settings, fused=True)

    def gradient_norm(self) -> Tensor:
        """Global L2 norm of the gradients, before clipping."""
        return torch.nn.utils.get_total_norm(self._gradients(), foreach=True)

    def _gradients(self) -> list[Tensor]:
        return [parameter.grad for parameter in self._parameters if parameter.grad is not None]

    def step(self, learning_rate: float, norm: Tensor) -> None:
        """Clips to the maximal norm, takes one step, and forgets the gradients."""
        for group in self._adamw.param_groups:
            group["lr"] = learning_rate
        if norm.is_cuda:
            # The fused step divides by a scale on its way, which spares clipping's own pass over all gradients.
            scale = ((norm + CLIP_SLACK) / self._max_grad_norm).clamp(min=1.0).to(torch.float32)
            self._adamw.grad_scale = scale  # type: ignore[attr-defined]  # read by the fused kernel, not declared
            self._adamw.found_inf = torch.zeros_like(scale)  # type: ignore[attr-defined]  # as above
        else:
            torch.nn.utils.clip_grads_with_norm_(self._parameters, self._max_grad_norm, norm, foreach=True)
        self._adamw.step()
        self.forget_gradients()

    def forget_gradients(self) -> None:
        """Drops all gradients."""
        self._adamw.zero_grad(set_to_none=True)

    def move(self, device: torch.device) -> None:
        """Moments go to a device; gradients are not kept between steps."""
        self.forget_gradients()
        for state in self._adamw.state.values():
            for name, value in state.items():
                if isinstance(value, Tensor):
                    state[name] = value.to(device)

    def moments(self) -> tuple[int, dict[str, Tensor]]:
        """(steps taken, moments as `<moment>/<parameter>`); empty before the first step."""
        state = self._adamw.state
        if not state:
            return 0, {}
        steps = int(state[self._parameters[0]]["step"].item())
        tensors: dict[str, Tensor] = {}
        for moment in MOMENTS:
            views = hugging_face_views(self._decoder, partial(_moment, state, moment))
            tensors |= {f"{moment}/{name}": view for name, view in views.items()}
        return steps, tensors

    def restore(self, steps: int, moments: dict[str, Tensor]) -> None:
        """Takes back what `moments` gave, in FP32 or in its own dtype."""
        if steps == 0:
            return
        for parameter in self._parameters:
            step = torch.tensor(float(steps), dtype=torch.float32, device=parameter.device)
            zeros = {
                moment: torch.zeros_like(parameter, dtype=self._moment_dtype, requires_grad=False) for moment in MOMENTS
            }
            self._adamw.state[parameter] = {"step": step, **zeros}
        _, views = self.moments()
        for name, view in views.items():
            view.copy_(moments[name])


def _moment(state: Mapping[Tensor, Mapping[str, Tensor]], moment: str, parameter: Tensor) -> Tensor:
    return state[parameter][moment]
