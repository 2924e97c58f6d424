"""Where a step's time goes on a GPU: seconds by kernel, over one short run."""

from __future__ import annotations

import torch
from torch.profiler import ProfilerActivity, profile

from gradus_trainer.bench_generator.measure import Workload
from gradus_trainer.model.decoder import Decoder
from gradus_trainer.sampler.continuous.generator import Generator
from gradus_trainer.sampler.job import Job


def by_kernel(decoder: Decoder, generator: Generator, workload: Workload, most: int = 14) -> list[str]:
    """Lines `microseconds a step, launches a step, kernel`, the costliest first."""
    before = generator.counters.steps
    with profile(activities=[ProfilerActivity.CUDA]) as recorded:
        generator.run([Job(workload.chunk(decoder.architecture.vocab_size, 99))])
        torch.cuda.synchronize()
    steps = generator.counters.steps - before
    events = sorted(recorded.key_averages(), key=lambda event: -event.self_device_time_total)
    total = sum(event.self_device_time_total for event in events) / steps
    lines = [f"{total:9.1f} us a step in kernels, {steps} steps"]
    for event in events[:most]:
        each = event.self_device_time_total / steps
        lines.append(f"{each:9.1f} us {event.count / steps:6.1f} x  {event.key[:90]}")
    return lines
