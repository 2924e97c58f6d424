"""No pickle: nothing that a client sends or a directory holds may run code when it is read."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

MODULES = {
    "pickle",
    "_pickle",
    "cPickle",
    "pickletools",
    "cloudpickle",
    "dill",
    "joblib",
    "jsonpickle",
    "marshal",
    "shelve",
}
"""Importing one of these, or anything below it, is a use."""

CALLS = {
    "torch.load": "reads pickle",
    "torch.save": "writes pickle",
    "torch.jit.load": "reads pickle",
    "torch.hub.load": "downloads and runs code",
    "numpy.load": "reads pickle where it is allowed to; use safetensors",
    "pandas.read_pickle": "reads pickle",
    "yaml.load": "builds any object; use yaml.safe_load",
    "yaml.unsafe_load": "builds any object",
    "multiprocessing.Queue": "pickles what it carries",
    "multiprocessing.Pipe": "pickles what it carries",
    "multiprocessing.Pool": "pickles what it carries",
    "concurrent.futures.ProcessPoolExecutor": "pickles what it carries",
}
"""Calls by their full name."""

DISTRIBUTED_OBJECTS = {
    "all_gather_object",
    "gather_object",
    "scatter_object_list",
    "broadcast_object_list",
    "send_object_list",
    "recv_object_list",
}
"""torch.distributed's object collectives pickle; whatever they are called on."""

KEYWORDS = {"allow_pickle": True, "trust_remote_code": True, "weights_only": False}
"""Arguments that open the door elsewhere."""

EXCEPTIONS = {
    ("src/gradus_trainer/publish/ipc.py", "pickle"): "vLLM wants CUDA IPC handles pickled: written, never read; opt-in",
    ("tests/test_bad_bodies.py", "pickle"): "plays a hostile client: sends a pickle, which must be refused unread",
}
"""(file below apps/trainer, use) -> the reason why it is allowed. A line that no longer matches fails the test."""


def dotted(node: ast.expr, names: dict[str, str]) -> str:
    """The full name of an expression like `np.load`, with imported names resolved; empty where it has none."""
    if isinstance(node, ast.Name):
        return names.get(node.id, node.id)
    if isinstance(node, ast.Attribute):
        owner = dotted(node.value, names)
        return f"{owner}.{node.attr}" if owner else node.attr
    return ""


def imported(node: ast.AST) -> Iterator[tuple[str, str]]:
    """The names that an import statement binds, each with what it stands for."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield alias.asname or alias.name.split(".")[0], alias.name if alias.asname else alias.name.split(".")[0]
            yield "", alias.name
    if isinstance(node, ast.ImportFrom) and node.level == 0:
        for alias in node.names:
            yield alias.asname or alias.name, f"{node.module}.{alias.name}"


def refuses_code(call: ast.Call) -> bool:
    """Whether a call says that a directory's own code is not run: the default asks, and a terminal may answer."""
    return any(
        keyword.arg == "trust_remote_code" and isinstance(keyword.value, ast.Constant) and keyword.value.value is False
        for keyword in call.keywords
    )


def uses(source: str) -> list[str]:
    """Names every use of pickle in a module's source."""
    tree = ast.parse(source)
    bound = [pair for node in ast.walk(tree) for pair in imported(node)]
    names = dict(bound)
    found = [
        full
        for _, full in bound
        if full.split(".")[0] in MODULES or full in CALLS or full.split(".")[-1] in DISTRIBUTED_OBJECTS
    ]
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and (dotted(node, names) in CALLS or node.attr in DISTRIBUTED_OBJECTS):
            found.append(dotted(node, names))
        if isinstance(node, ast.Name) and node.id in DISTRIBUTED_OBJECTS:
            found.append(node.id)
        if isinstance(node, ast.Call):
            name = dotted(node.func, names)
            if name in {"__import__", "importlib.import_module"} and not isinstance(node.args[0], ast.Constant):
                found.append(f"{name} of a computed name")
            if name in {"__import__", "importlib.import_module"} and isinstance(node.args[0], ast.Constant):
                found += [str(node.args[0].value)] if str(node.args[0].value).split(".")[0] in MODULES else []
            if isinstance(node.func, ast.Attribute) and node.func.attr == "from_pretrained" and not refuses_code(node):
                found.append("from_pretrained without trust_remote_code=False")
            found += [
                f"{keyword.arg}={keyword.value.value}"
                for keyword in node.keywords
                if keyword.arg in KEYWORDS
                and isinstance(keyword.value, ast.Constant)
                and keyword.value.value is KEYWORDS[keyword.arg]
            ]
    return sorted(set(found))


def name(path: Path) -> str:
    """A file's path below apps/trainer, or below the project where it lies elsewhere."""
    return path.relative_to(ROOT if path.is_relative_to(ROOT) else ROOT.parent.parent).as_posix()


def test_the_trainer_uses_no_pickle() -> None:
    """All Python of the project; the exceptions are listed with their reasons and all still needed."""
    folders = [ROOT / folder for folder in ("src", "bench", "tests", "shims")]
    folders += [ROOT.parent.parent / folder for folder in ("scripts", "integrations", "notebooks", "test")]
    files = sorted(path for folder in folders for path in folder.rglob("*.py"))
    assert {path.relative_to(ROOT.parent.parent).parts[0] for path in files} == {
        "apps",
        "integrations",
        "notebooks",
        "scripts",
        "test",
    }
    found = {(name(path), use) for path in files for use in uses(path.read_text("utf-8"))}
    assert found == set(EXCEPTIONS)
    assert all(reason.strip() for reason in EXCEPTIONS.values())


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import pickle", "pickle"),
        ("import pickle as p", "pickle"),
        ("from pickle import loads", "pickle.loads"),
        ("import cloudpickle.cloudpickle", "cloudpickle.cloudpickle"),
        ("def f():\n    import dill", "dill"),
        ("import importlib\nimportlib.import_module('pickle')", "pickle"),
        ("import importlib\nimportlib.import_module(name)", "importlib.import_module of a computed name"),
        ("import torch\ntorch.load('x', weights_only=True)", "torch.load"),
        ("from torch import load as read\nread('x')", "torch.load"),
        ("import torch as t\nload = t.load", "torch.load"),
        ("import torch\ntorch.save({}, 'x')", "torch.save"),
        ("import numpy as np\nnp.load('x')", "numpy.load"),
        ("read('x', allow_pickle=True)", "allow_pickle=True"),
        ("AutoModel.from_pretrained('x', trust_remote_code=True)", "trust_remote_code=True"),
        ("AutoModel.from_pretrained('x')", "from_pretrained without trust_remote_code=False"),
        ("AutoModel.from_pretrained('x', trust_remote_code=no)", "from_pretrained without trust_remote_code=False"),
        (
            "import torch.distributed as dist\ndist.broadcast_object_list([1])",
            "torch.distributed.broadcast_object_list",
        ),
        ("from torch.distributed import gather_object", "torch.distributed.gather_object"),
        ("import yaml\nyaml.load('x')", "yaml.load"),
    ],
)
def test_a_use_is_found_however_it_is_written(source: str, expected: str) -> None:
    """The check fails when the rule is broken."""
    assert expected in uses(source)


def test_what_only_looks_like_pickle_is_none() -> None:
    """Safetensors, JSON and a method that happens to be called load."""
    assert uses("AutoModel.from_pretrained('x', trust_remote_code=False)") == []
    assert uses("import json\nfrom safetensors.torch import load\njson.load(f)\nload(b'')\nself.ledger.load('x')") == []
