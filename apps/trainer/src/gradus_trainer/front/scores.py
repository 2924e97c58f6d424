"""The log-probability route: Arrow in, Arrow out, nothing changed."""

from __future__ import annotations

import asyncio

import pyarrow as pa
from aiohttp import web

from gradus_trainer.engine.engine import Engine
from gradus_trainer.front.body import read_arrow
from gradus_trainer.front.off_loop import compute
from gradus_trainer.front.runs import Runs
from gradus_trainer.generated.wire import MEDIA_TYPE
from gradus_trainer.wire.batch import Batch, Floats
from gradus_trainer.wire.decode import decode_logprobs


class Scores:
    """Route of `/v1/runs/{run}/logprobs`."""

    def __init__(self, runs: Runs, engine: Engine) -> None:
        self._runs, self._engine = runs, engine

    async def create(self, request: web.Request) -> web.Response:
        """Scores the trained tokens of each row under the current policy."""
        session = self._runs.session(request)
        body, _ = await read_arrow(request, digest_required=False)
        batch = await asyncio.to_thread(decode_logprobs, body, session.limits)
        self._runs.check_loaded()
        work = self._engine.submit(self._engine.score, session.live, batch, body)
        logprob, entropy = await asyncio.wrap_future(work)
        encoded = await compute(len(body), encode_scores, batch, logprob, entropy)
        return web.Response(body=encoded, content_type=MEDIA_TYPE["arrow"])


def encode_scores(batch: Batch, logprob: Floats, entropy: Floats) -> bytes:
    """One record batch with `sample_id`, `logprob`, `entropy`."""
    offsets = pa.array(batch.offsets, pa.int32())

    def column(values: Floats) -> pa.Array:
        return pa.ListArray.from_arrays(offsets, pa.array(values, pa.float32()))

    columns = {
        "sample_id": pa.array(batch.sample_id, pa.utf8()),
        "logprob": column(logprob),
        "entropy": column(entropy),
    }
    record = pa.record_batch(columns)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, record.schema) as writer:
        writer.write_batch(record)
    result: bytes = sink.getvalue().to_pybytes()
    return result
