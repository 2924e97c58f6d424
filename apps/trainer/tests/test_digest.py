"""The digest of weights, by value: written out here byte by byte as docs/trainer-protocol.md spells it."""

import hashlib
import struct

import torch

from gradus_trainer.digest import bytes_digest, content_digest, weights_digest

WEIGHTS = {"b.weight": torch.tensor([[1.0, -2.0], [0.5, 0.0]]), "a.bias": torch.tensor([3.0])}
BYTES = b"".join(
    [
        b"a.bias\0float32\0" + b"1" + b"\0" + struct.pack("<1f", 3.0),
        b"b.weight\0float32\0" + b"2,2" + b"\0" + struct.pack("<4f", 1.0, -2.0, 0.5, 0.0),
    ]
)


def test_weights_are_hashed_as_the_protocol_says():
    assert weights_digest(WEIGHTS) == hashlib.sha256(BYTES).hexdigest()


def test_neither_order_nor_layout_nor_a_wider_type_matters():
    turned = {name: WEIGHTS[name] for name in reversed(list(WEIGHTS))}
    turned["b.weight"] = torch.tensor([[1.0, 0.5], [-2.0, 0.0]]).T.double()
    assert weights_digest(turned) == weights_digest(WEIGHTS)


def test_every_part_of_a_tensor_counts():
    changed = [
        {**WEIGHTS, "a.bias": torch.tensor([3.0000002])},
        {**WEIGHTS, "b.weight": WEIGHTS["b.weight"].reshape(4)},
        {"c.weight": WEIGHTS["b.weight"], "a.bias": WEIGHTS["a.bias"]},
        {"b.weight": WEIGHTS["b.weight"]},
    ]
    assert len({weights_digest(weights) for weights in [WEIGHTS, *changed]}) == 5


def test_the_header_states_the_digest_of_the_bytes():
    header = "sha-256=:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=:"
    assert content_digest(header) == bytes_digest(b"abc")
    assert content_digest(f"sha-512=:AA==:, {header}") == bytes_digest(b"abc")
    assert content_digest(None) is None
