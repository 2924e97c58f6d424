"""An error remembers the calls it went through, and those their variables, which may fill a device."""

from __future__ import annotations

import traceback


def forget_frames(error: BaseException) -> None:
    """Drops the variables of the calls that an error went through: weights, gradients and activations among them."""
    reason: BaseException | None = error
    while reason is not None:
        traceback.clear_frames(reason.__traceback__)
        reason = reason.__cause__ or reason.__context__
