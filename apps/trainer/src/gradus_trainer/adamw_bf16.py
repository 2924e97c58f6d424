"""AdamW whose moments are BF16, for policies whose FP32 moments do not fit: arithmetic in FP32, one pass a parameter.

A BF16 number has 8 bits of precision, so a moment that changes by less than 1/256 of itself stays as it is: beta2 must
be far enough from 1 (`MAX_BETA`), which the run's body is checked for.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

MAX_BETA = 0.98
"""With (1 − beta) ≥ 0.02 a doubled square of a gradient still moves its mean by five roundings."""


def update(
    weight: Tensor,
    gradient: Tensor,
    mean: Tensor,
    square: Tensor,
    scale: Tensor,
    rates: Tensor,
    betas: tuple[float, float],
    epsilon: float,
) -> None:
    """One parameter in place. `rates` = (learning rate, 1 − learning rate · decay, 1 − beta1^t, 1 − beta2^t)."""
    slope = gradient / scale
    new_mean = mean.float().lerp(slope, 1 - betas[0])
    new_square = square.float().lerp(slope * slope, 1 - betas[1])
    step = (new_mean / rates[2]) / ((new_square / rates[3]).sqrt() + epsilon)
    weight.copy_(weight * rates[1] - rates[0] * step)
    mean.copy_(new_mean)
    square.copy_(new_square)


@functools.cache
def _compiled() -> Callable[..., None]:
    result: Callable[..., None] = torch.compile(update, dynamic=True)
    return result


class AdamWBF16(torch.optim.Optimizer):
    """The interface of torch's fused AdamW, as far as it is used here: `grad_scale`, when set, divides gradients."""

    def __init__(self, groups: list[dict[str, Any]], lr: float, betas: tuple[float, float], eps: float) -> None:
        super().__init__(groups, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": 0.0})
        self.grad_scale: Tensor | None = None

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]  # torch types a closure that this optimizer never takes
        """Updates every parameter that has a gradient."""
        del closure
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._update(parameter, group)

    def _update(self, parameter: Tensor, group: dict[str, Any]) -> None:
        state, gradient = self.state[parameter], parameter.grad
        assert gradient is not None
        if not state:
            state["step"] = torch.zeros(())
            for moment in ("exp_avg", "exp_avg_sq"):
                state[moment] = torch.zeros_like(parameter, dtype=torch.bfloat16, requires_grad=False)
        state["step"] += 1
        steps, (beta1, beta2) = int(state["step"]), group["betas"]
        rates = (group["lr"], 1 - group["lr"] * group["weight_decay"], 1 - beta1**steps, 1 - beta2**steps)
        scale = self.grad_scale if self.grad_scale is not None else gradient.new_ones(())
        weight, slope, mean, square = (x.view(-1) for x in (parameter, gradient, state["exp_avg"], state["exp_avg_sq"]))
        function = _compiled() if parameter.is_cuda else update
        function(weight, slope, mean, square, scale, gradient.new_tensor(rates), (beta1, beta2), group["eps"])
