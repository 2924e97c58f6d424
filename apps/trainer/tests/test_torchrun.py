"""Two ranks are one process: the same loss, gradient norm, metrics and state. NCCL where two GPUs are, else gloo."""

from __future__ import annotations

import dataclasses
import datetime
import shutil
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
import torch.distributed as dist
from safetensors import safe_open

from gradus_trainer.artifacts import Artifacts
from gradus_trainer.digest import weights_digest
from gradus_trainer.engine.torchrun.export import policy_digest
from gradus_trainer.engine.torchrun.fill import fill, from_seed
from gradus_trainer.engine.torchrun.group import Group, make_group
from gradus_trainer.engine.torchrun.saving import Head, Saving
from gradus_trainer.engine.torchrun.sharding import places
from gradus_trainer.engine.torchrun.shares import deal, row_costs, share_of
from gradus_trainer.model.load import load_directory
from gradus_trainer.model.weights import hugging_face_views, weight_shapes
from gradus_trainer.problem import Problem
from gradus_trainer.seal import sealed
from gradus_trainer.wire.decode import Limits, decode_update
from tests import tiny, torchrun_ranks
from tests.torchrun_ranks import CASES, Policy


@pytest.fixture(scope="module")
def group() -> Iterator[Group]:
    """The group of one rank that this process is alone."""
    device = torch.device(torchrun_ranks.device())
    backend = "cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo"
    dist.init_process_group(backend, store=dist.HashStore(), rank=0, world_size=1)
    yield make_group(1, device, dist.HashStore())
    dist.destroy_process_group()


@dataclasses.dataclass
class Ran:
    """What the two ranks told, and what one rank did before: a state after two updates, and the third."""

    root: Path
    told: dict[str, Any]
    digest: str
    third: dict[str, Any]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory, group: Group) -> Ran:
    root = tmp_path_factory.mktemp("ranks")
    policy = Policy(group)
    fill(policy.decoder, group, from_seed(policy.decoder, 5))
    for number in (1, 2):
        policy.update(number)
    policy.save(root / "one", 2)
    digest = policy_digest(policy.decoder, group)
    third = policy.update(3)
    return Ran(root, torchrun_ranks.run_ranks(root), digest, third)


def near(found: dict[str, Any], expected: dict[str, Any]) -> None:
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-5, atol=1e-5, err_msg=name)


@pytest.mark.parametrize("index", range(len(CASES)), ids=["-".join(map(str, case)) for case in CASES])
def test_two_ranks_learn_what_one_process_learns(ran: Ran, index: int) -> None:
    """Loss, gradient norm and metrics of two updates, then log-probabilities and entropies."""
    expected = torchrun_ranks.alone(CASES[index])
    assert expected[0]["grad_norm"] > 0.01
    for mine, theirs in zip(ran.told["cases"][index], expected, strict=True):
        near(mine, theirs)


def test_a_state_of_one_rank_goes_on_on_two_and_back(ran: Ran, group: Group) -> None:
    """Moments too: the update after loading is the one that would have been taken."""
    assert ran.told["loaded"] == ran.digest
    near(ran.told["continued"], ran.third)
    policy = Policy(group)
    assert policy.load(ran.root / "two") == ran.told["saved"]
    near(policy.update(4), ran.told["next"])


def test_a_state_is_safetensors_and_json_alone(ran: Ran) -> None:
    """torch's own metadata file would be a pickle."""
    names = sorted(path.name for path in (ran.root / "two").iterdir())
    shards = [f"shard-0000{rank}-model-00001-of-00001.safetensors" for rank in (1, 2)]
    assert names == ["config.json", "seal.json", *shards, "state.json", "tokenizer.json"]
    with safe_open(ran.root / "two" / shards[0], framework="pt") as file:
        rows = file.get_slice("policy.blocks.0.down").get_shape()[0]
        kinds = {name.split(".")[0] for name in file.keys()}  # noqa: SIM118 - it cannot be iterated
    assert (rows, kinds) == (tiny.architecture().hidden_size // 2, {"policy", "exp_avg", "exp_avg_sq"})


def test_a_state_without_one_of_its_shards_is_refused(ran: Ran, group: Group, tmp_path: Path) -> None:
    """Rows of zero in its place would look like a policy."""
    for path in (ran.root / "two").iterdir():
        if "00002" not in path.name.split("-")[1:2]:
            (tmp_path / path.name).write_bytes(path.read_bytes())
    with pytest.raises(Problem, match=r"00002.*it is not there"):
        Policy(group).load(tmp_path)
    # nor is one of a time before seals
    (tmp_path / "seal.json").unlink()
    with pytest.raises(Problem, match="1 of 2 shards"):
        Policy(group).load(tmp_path)


def test_a_flipped_bit_of_any_file_of_a_sharded_state_is_seen(ran: Ran, group: Group, tmp_path: Path) -> None:
    """In the weights it would be another policy, and nothing else would say so."""
    directory = tmp_path / "state"
    shutil.copytree(ran.root / "two", directory)
    policy = Policy(group)
    assert policy.load(directory) == ran.told["saved"]
    assert sorted(sealed(directory)) == sorted(path.name for path in directory.iterdir() if path.name != "seal.json")
    for path in directory.iterdir():
        whole = path.read_bytes()
        path.write_bytes(whole[:-9] + bytes([whole[-9] ^ 4]) + whole[-8:])
        with pytest.raises(Problem, match="a checkpoint is damaged") as raised:
            policy.load(directory)
        # of a digest that rotted, the file that it is of is named
        assert path.name in {raised.value.field, "seal.json"}
        path.write_bytes(whole)
    policy.load(directory)


def test_a_checkpoint_that_rank_0_cannot_begin_keeps_no_rank_waiting(tmp_path: Path) -> None:
    """The others would wait for its word until the store gives up, and rank 0 for them."""
    store = dist.HashStore()
    store.set_timeout(datetime.timedelta(seconds=60))
    (tmp_path / "file").write_text("no directory")
    staged = SimpleNamespace(write=lambda _directory: pytest.fail("there is nothing to write to"))
    told: Future[Problem | None] = Future()
    savings = [Saving(SimpleNamespace(rank=rank, size=2, store=store)) for rank in (1, 0)]
    for saving in savings:
        saving.begin(staged, tmp_path / "file" / "state", Head(0, {}, None, {}), told.set_result)
    problem = told.result(20)
    assert problem is not None
    assert (problem.code, "NotADirectoryError" in problem.detail) == ("trainer_failed", True)
    for saving in savings:
        saving.stop()
    assert not store.check(["saved/0/failed"])


def test_an_exported_policy_is_a_hugging_face_directory_of_several_files(ran: Ran) -> None:
    """Read by one process and by ranks, with the digest that the ranks had."""
    directory = ran.root / "export"
    assert len(list(directory.glob("model-*-of-*.safetensors"))) > 2
    decoder, _ = load_directory(directory, torch.device("cpu"), torch.float32)
    assert weights_digest(hugging_face_views(decoder)) == ran.told["exported"] == ran.told["imported"]
    assert Artifacts(ran.root).root.joinpath("export", "artifact.json").exists()


def test_every_hugging_face_weight_has_its_rows_of_a_parameter() -> None:
    """Fused matrices are cut where their views are, and no row is left out or named twice."""
    decoder = tiny.decoder("qwen2")
    parameters, found = dict(decoder.named_parameters()), places(decoder)
    for name, view in hugging_face_views(decoder).items():
        place = found[name]
        torch.testing.assert_close(parameters[place.parameter][place.start : place.stop].detach(), view, rtol=0, atol=0)
    assert list(found) == sorted(weight_shapes(decoder.architecture))
    rows = sum(place.stop - place.start for place in found.values())
    assert rows == sum(parameter.shape[0] for parameter in parameters.values())


def test_shares_are_all_trained_rows_once_and_equally_costly() -> None:
    """Log-normal lengths on 16 ranks: within 2 % of each other in arithmetic, not in rows."""
    lengths = np.random.default_rng(0).lognormal(7, 0.6, 2000).astype(np.int64) + 2
    costs = row_costs(lengths, tiny.architecture(max_positions=1 << 16))
    hands = deal(costs, 16)
    assert np.array_equal(np.sort(np.concatenate(hands)), np.arange(2000))
    loads = np.array([costs[hand].sum() for hand in hands])
    assert loads.max() / loads.min() < 1.02
    assert costs[1] / lengths[1] != pytest.approx(costs[0] / lengths[0])


def test_a_rank_without_rows_keeps_the_others_company() -> None:
    """Its row is another's, and what is not trained on is nobody's."""
    cells = tiny.columns(3)
    cells["loss_mask"][0] = [0] * len(cells["loss_mask"][0])
    cells["rollout_logprob"][0] = [0.0] * len(cells["rollout_logprob"][0])
    _, batch = decode_update(tiny.stream(tiny.table(cells, tiny.metadata())), Limits(tiny.VOCAB, 64, 0))
    shares = [share_of(batch, tiny.architecture(), rank, 4) for rank in range(4)]
    assert sorted(row for share in shares if not share.idle for row in share.rows.tolist()) == [1, 2]
    assert [share.idle for share in shares] == [False, False, True, True]
    for share in shares:
        assert share.batch.rows == len(share.rows) == 1
        row = int(share.rows[0])
        assert share.batch.sample_id == [f"s{row}"]
        assert share.batch.token_ids.tolist() == cells["token_ids"][row]
        assert batch.token_ids[batch.tokens_of(share.rows)].tolist() == cells["token_ids"][row]
