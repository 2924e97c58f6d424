"""The operations of kernels.py in plain torch: the reference the GPU kernels are held to, and what a CPU runs."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from gradus_trainer.model.rope import rotate
from gradus_trainer.sampler.choose import choose
from gradus_trainer.sampler.continuous import row_state
from gradus_trainer.sampler.continuous.kernels import AttentionShape, AttentionWeights, Scaled, bits
from gradus_trainer.sampler.continuous.quantise import quantise_rows
from gradus_trainer.sampler.uniform import draws_at


class TorchKernels:
    """Implements Kernels without a GPU in mind: clear before fast."""

    def embed(self, state: Tensor, embedding_VH: Tensor, hidden_PH: Tensor) -> None:
        hidden_PH.copy_(F.embedding(state[row_state.TOKEN, : len(hidden_PH)], embedding_VH))

    def add_norm(
        self, hidden_PH: Tensor, delta_PH: Tensor | None, weight_H: Tensor, epsilon: float, out: Scaled
    ) -> None:
        if delta_PH is not None:
            hidden_PH += delta_PH
        _put(F.rms_norm(hidden_PH, weight_H.shape, weight_H, epsilon), out)

    def attend(
        self,
        state: Tensor,
        qkv_PW: Tensor,
        weights: AttentionWeights,
        rope: tuple[Tensor, Tensor],
        pool: tuple[Tensor, Tensor],
        shape: AttentionShape,
        out_PW: Tensor,
    ) -> None:
        count, compute = len(qkv_PW), qkv_PW.dtype
        length_P = torch.minimum(state[row_state.LENGTH], state[row_state.CAPACITY] - 1)[:count]
        prefix_P, start_P = state[row_state.PREFIX_LENGTH, :count], state[row_state.OWN_START, :count]
        position_P = prefix_P + length_P
        query_PQD, key_PKD, value_PKD = _project(qkv_PW, weights, rope, position_P, shape)
        for stored, new_PKD in zip(pool, (key_PKD, value_PKD), strict=True):
            stored.index_copy_(1, start_P + length_P, new_PKD.transpose(0, 1).to(stored.dtype))
        seen_T = torch.arange(int(position_P.max()) + 1, device=qkv_PW.device)
        prompt_PT = state[row_state.PREFIX_START, :count, None] + seen_T
        own_PT = start_P[:, None] + seen_T - prefix_P[:, None]
        hidden_PT = seen_T > position_P[:, None]
        where_PT = torch.where(seen_T < prefix_P[:, None], prompt_PT, own_PT).masked_fill_(hidden_PT, 0)
        key, value = (stored[:, where_PT].transpose(0, 1) for stored in pool)
        mask = torch.zeros(hidden_PT.shape, dtype=compute, device=qkv_PW.device).masked_fill_(hidden_PT, -torch.inf)
        query = query_PQD.view(count, shape.kv_heads, -1, shape.head_dim)
        mixed = F.scaled_dot_product_attention(query, key, value, attn_mask=mask[:, None, None])
        out_PW.copy_(mixed.reshape(count, -1))

    def rotate(
        self,
        qkv_NW: Tensor,
        place: tuple[Tensor, Tensor],
        weights: AttentionWeights,
        rope: tuple[Tensor, Tensor],
        pool: tuple[Tensor, Tensor],
        shape: AttentionShape,
    ) -> None:
        position_N, slot_N = place
        parts = _project(qkv_NW, weights, rope, position_N, shape)
        kept_N = (slot_N >= 0).nonzero().squeeze(1)
        for stored, new_NKD in zip(pool, parts[1:], strict=True):
            stored.index_copy_(1, slot_N[kept_N], new_NKD[kept_N].transpose(0, 1))
        qkv_NW.copy_(torch.cat(parts, dim=1).flatten(1))

    def put(self, values_PN: Tensor, out: Scaled) -> None:
        _put(values_PN, out)

    def gate(self, gate_up_PF: Tensor, out: Scaled) -> None:
        gate, up = gate_up_PF.float().chunk(2, dim=-1)
        _put(F.silu(gate) * up, out)

    def pick(self, state: Tensor, logits_PV: Tensor, out_2P: Tensor) -> None:
        count, rows = len(logits_PV), state[:, : len(logits_PV)]
        seeds, numbers = (rows[field].cpu().numpy().view("uint64") for field in (row_state.SEED, row_state.LENGTH))
        draw_P = torch.from_numpy(draws_at(seeds, numbers)).to(logits_PV.device)
        temperature_P = rows[row_state.TEMPERATURE].to(torch.int32).view(torch.float32)
        for temperature in temperature_P.unique().tolist():
            here_P = temperature_P == temperature
            token, logprob = choose(logits_PV[here_P], temperature, draw_P[here_P])
            out_2P[0, :count][here_P] = token.to(torch.int32)
            out_2P[1, :count][here_P] = bits(logprob)
        state[row_state.TOKEN, :count] = out_2P[0, :count]
        state[row_state.LENGTH, :count] += 1


def _project(
    qkv_PW: Tensor, weights: AttentionWeights, rope: tuple[Tensor, Tensor], position_P: Tensor, shape: AttentionShape
) -> tuple[Tensor, Tensor, Tensor]:
    compute, heads, kv_heads = qkv_PW.dtype, shape.heads, shape.kv_heads
    qkv = qkv_PW.float() if weights.bias is None else qkv_PW.float() + weights.bias
    query, key, value = qkv.view(len(qkv), -1, shape.head_dim).split((heads, kv_heads, kv_heads), dim=1)
    if weights.query_norm is not None and weights.key_norm is not None:
        query = F.rms_norm(query, weights.query_norm.shape, weights.query_norm, weights.epsilon)
        key = F.rms_norm(key, weights.key_norm.shape, weights.key_norm, weights.epsilon)
    cosine, sine = (table[position_P][:, None] for table in rope)
    turned = rotate(torch.cat((query, key), dim=1), cosine, sine).to(compute)
    query, key = turned.split((heads, kv_heads), dim=1)
    return query, key, value.to(compute)


def _put(values_PN: Tensor, out: Scaled) -> None:
    if out.scale is None:
        out.values.copy_(values_PN)
        return
    quantised, scale = quantise_rows(values_PN)
    out.values.copy_(quantised)
    out.scale.copy_(scale)
