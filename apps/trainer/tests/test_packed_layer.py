"""The layer function as torch.compile sees it: one graph for all layers and bins of an update, with right gradients.

The kernels are CUDA's; here each has a slow stand-in, so tracing, fake shapes and derivatives of operators are real.
"""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from torch._dynamo.utils import counters

from gradus_trainer.engine.choose_attention import choose_attention
from gradus_trainer.engine.trunk import Packed
from gradus_trainer.model import packed_block
from gradus_trainer.model.packed_attention import flash4_backward, flash4_forward, flash_backward, flash_forward, plain
from tests import tiny
from tests.test_packing import packed_batch


def forward_by_hand(query, key, value, offsets, longest):
    return plain(query, key, value, offsets, longest).contiguous(), query.new_zeros(query.shape[1], query.shape[0])


def backward_by_hand(slope, query, key, value, out, sums, offsets, longest):
    gradients = [torch.zeros(x.shape) for x in (query, key, value)]
    times, scale, ends = query.shape[1] // key.shape[1], query.shape[2] ** -0.5, offsets.tolist()
    for start, end in itertools.pairwise(ends):
        future = torch.ones(end - start, end - start).triu(1).bool()
        for head in range(query.shape[1]):
            q, s = query[start:end, head], slope[start:end, head]
            k, v = key[start:end, head // times], value[start:end, head // times]
            weight = (q @ k.T * scale).masked_fill(future, -math.inf).softmax(-1)
            pull = s @ v.T
            inner = weight * (pull - (pull * weight).sum(-1, keepdim=True)) * scale
            gradients[0][start:end, head] += inner @ k
            gradients[1][start:end, head // times] += inner.T @ q
            gradients[2][start:end, head // times] += weight.T @ s
    return tuple(gradients)


for forward, backward in ((flash_forward, flash_backward), (flash4_forward, flash4_backward)):
    forward.register_kernel("cpu")(forward_by_hand)
    backward.register_kernel("cpu")(backward_by_hand)


def gradients_of(decoder, attention, mode, *, compiled):
    trunk = Packed(decoder, 16, attention, mode, compiled=compiled)
    for stream in packed_batch()[2]:
        hidden, select = trunk.hidden(stream)
        hidden[select].square().sum().backward()
    return [parameter.grad for parameter in decoder.parameters() if parameter.grad is not None]


@pytest.mark.parametrize(("attention", "mode"), [("flash", "off"), ("flash4", "selective"), ("flash", "full")])
def test_all_layers_and_bins_share_one_whole_graph(attention, mode, monkeypatch):
    compile_ = torch.compile
    monkeypatch.setattr(torch, "compile", lambda layer: compile_(layer, backend="aot_eager", fullgraph=True))
    packed_block.packed_layer.cache_clear()
    torch._dynamo.reset()
    counters.clear()
    found = gradients_of(tiny.decoder("qwen3"), attention, mode, compiled=True)
    assert counters["stats"]["unique_graphs"] == 1
    assert not counters["graph_break"]
    packed_block.packed_layer.cache_clear()
    expected = gradients_of(tiny.decoder("qwen3"), "plain", "off", compiled=False)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


def test_without_a_device_that_has_the_kernels_attention_is_plain():
    assert choose_attention(torch.device("cpu"), 4, 2, 8, torch.bfloat16) == "plain"
