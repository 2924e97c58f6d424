"""How much each trained token counts in the loss."""

from __future__ import annotations

import numpy as np

from gradus_trainer.wire.batch import Batch, Floats


def token_coefficients(batch: Batch, normaliser: str, denominator: float) -> Floats:
    """c of every flat position, so that L = Σ c·l over trained tokens.

    tokens and constant: w_i / denominator; sequences: w_i / (Σ_t M · denominator). The denominator is global and comes
    from the orchestrator.
    """
    weight = batch.sample_weight.astype(np.float64) / denominator
    if normaliser == "sequences":
        weight = weight / np.maximum(batch.trained_per_row(), 1)
    coefficients: Floats = weight[batch.row_of_token()].astype(np.float32)
    return coefficients
