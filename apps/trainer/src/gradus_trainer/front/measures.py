"""`/metrics`: what this process did and holds, as Prometheus reads it. Counters begin at 0 with the process."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from aiohttp import web

from gradus_trainer.engine.engine import Engine
from gradus_trainer.front.updates import Updates
from gradus_trainer.problem import Problem
from gradus_trainer.sampler.queue import GenerationQueue
from gradus_trainer.versions import device_memory, resident_memory

PREFIX = "gradus_trainer_"


class Measures:
    """Route `/metrics`. Counting needs no library; writing the page does, which a machine without network may lack."""

    def __init__(self, updates: Updates, queue: GenerationQueue, engine: Engine) -> None:
        self._updates, self._queue, self._engine = updates, queue, engine

    async def show(self, _request: web.Request) -> web.Response:
        """The page."""
        try:
            # the service runs without it where it cannot be installed
            import prometheus_client  # noqa: PLC0415 - see above
        except ImportError as error:
            detail = "the package prometheus-client is not installed where the trainer runs"
            raise Problem("metrics_unavailable", detail) from error
        registry = prometheus_client.CollectorRegistry()
        registry.register(self)
        page: bytes = prometheus_client.generate_latest(registry)
        return web.Response(body=page, headers={"Content-Type": prometheus_client.CONTENT_TYPE_LATEST})

    def collect(self) -> Iterator[Any]:
        """Families of samples, for the library."""
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily  # noqa: PLC0415 - as above

        done = self._updates.done
        yield CounterMetricFamily(PREFIX + "updates_applied", "Optimizer updates applied.", value=done.applied)
        yield CounterMetricFamily(PREFIX + "tokens_trained", "Tokens with a loss in those.", value=done.loss_tokens)
        requests = GaugeMetricFamily(PREFIX + "generation_requests", "Completions asked for.", labels=["state"])
        for state, count in self._queue.lengths().items():
            requests.add_metric([state], count)
        yield requests
        memory = GaugeMetricFamily(PREFIX + "device_memory_bytes", "Memory of the device.", labels=["kind"])
        for kind, size in device_memory(self._engine.device).items():
            memory.add_metric([kind], size)
        yield memory
        yield GaugeMetricFamily(PREFIX + "resident_memory_bytes", "Host memory of the process.", resident_memory())
