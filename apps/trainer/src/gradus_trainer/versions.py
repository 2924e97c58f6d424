"""Everything that depends on a version or on the machine: determinism, threads, devices, memory."""

from __future__ import annotations

import gc
import resource
from pathlib import Path

import torch

from gradus_trainer.problem import Problem


def choose_device(name: str) -> torch.device:
    """`auto` takes CUDA when there is one."""
    if name == "cuda" or (name == "auto" and torch.cuda.is_available()):
        return torch.device("cuda", 0)
    return torch.device("cpu")


def choose_compute(name: str, device: torch.device) -> torch.dtype:
    """Dtype of matrix products: `auto` is FP32 on a CPU and BF16 on CUDA."""
    if name == "auto":
        return torch.bfloat16 if device.type == "cuda" else torch.float32
    return {"float32": torch.float32, "bfloat16": torch.bfloat16}[name]


def prepare_torch(device: torch.device, threads: int) -> None:
    """Settles threads and determinism; called on the thread that computes."""
    if threads:
        torch.set_num_threads(threads)
    if device.type == "cpu":
        # The switch of use_deterministic_algorithms without its import of Inductor, which costs every start a second
        # and compiles nothing on a CPU.
        torch.set_deterministic_debug_mode("error")
        # Every read element was written before, so filling fresh memory with NaN would only cost time.
        torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]  # not declared in the stubs


def determinism(device: torch.device) -> str:
    """Class of repeatability that the service promises on a device."""
    return "bitwise" if device.type == "cpu" else "seeded"


def peak_memory(device: torch.device) -> int:
    """Most memory used so far: of the process on a CPU, of the allocator on CUDA."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def device_memory(device: torch.device) -> dict[str, int]:
    """What tensors have of a device, what torch's allocator has, and what is free; a CPU's is the host's."""
    if device.type != "cuda":
        return {"free": free_memory(device)}
    held = {"allocated": torch.cuda.memory_allocated(device), "reserved": torch.cuda.memory_reserved(device)}
    # asking a device what is free takes memory of it; the front of workers leaves it alone
    return held | ({"free": free_memory(device)} if torch.cuda.is_initialized() else {})


def resident_memory() -> int:
    """Memory that the process holds now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def free_memory(device: torch.device) -> int:
    """Memory that can still be had, what torch's allocator keeps for reuse included."""
    if device.type == "cuda":
        cached = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return int(torch.cuda.mem_get_info(device)[0]) + cached
    lines = Path("/proc/meminfo").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable"))


def give_back_memory(device: torch.device) -> None:
    """Collects what nothing refers to any more, and gives the device what torch's allocator kept of it."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()


def require_memory(needed: int, device: torch.device) -> None:
    """Refuses a policy that cannot fit, instead of being killed for it."""
    free = free_memory(device)
    if needed > free:
        detail = f"the policy needs about {needed >> 20} MiB and {free >> 20} MiB are free"
        raise Problem("policy_unavailable", detail, field="policy")
