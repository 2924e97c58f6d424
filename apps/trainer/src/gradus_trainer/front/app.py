"""The routes of the service on one aiohttp application."""

from __future__ import annotations

import torch
from aiohttp import web

import gradus_trainer
from gradus_trainer.engine.engine import Engine
from gradus_trainer.front.body import LIMIT, answer_json
from gradus_trainer.front.checkpoints import Checkpoints
from gradus_trainer.front.generation import Generation
from gradus_trainer.front.guard import TOKEN, guard
from gradus_trainer.front.health import Health
from gradus_trainer.front.measures import Measures
from gradus_trainer.front.memory import Memory
from gradus_trainer.front.publishes import Publishes
from gradus_trainer.front.runs import Runs
from gradus_trainer.front.scores import Scores
from gradus_trainer.front.updates import Updates
from gradus_trainer.generated.wire import FORMAT, LOSS, NAME_PATTERN
from gradus_trainer.ledger import Ledger
from gradus_trainer.versions import choose_compute, determinism, peak_memory, resident_memory

RUNS: web.AppKey[Runs] = web.AppKey("runs", Runs)
GENERATION: web.AppKey[Generation] = web.AppKey("generation", Generation)
RUN = "/v1/runs/{run:" + NAME_PATTERN.strip("^$") + "}"


def make_app(engine: Engine, ledger: Ledger, token: str, max_body_bytes: int) -> web.Application:
    """Wires routes to the engine."""
    app = web.Application(middlewares=[guard], client_max_size=max_body_bytes)
    app[TOKEN], app[LIMIT] = token, max_body_bytes
    runs = app[RUNS] = Runs(engine, ledger)
    updates, checkpoints = Updates(runs, engine, ledger), Checkpoints(runs, engine, ledger)
    generation, scores = Generation(runs, engine), Scores(runs, engine)
    app[GENERATION] = generation
    health, measures = Health(runs, engine), Measures(updates, generation.queue, engine)
    publishes, memory = Publishes(runs, engine), Memory(runs, engine, generation)

    async def info(_request: web.Request) -> web.Response:
        return answer_json(_info(engine, runs, max_body_bytes))

    router = app.router
    router.add_get("/healthz", health.alive)
    router.add_get("/readyz", health.ready)
    router.add_get("/metrics", measures.show)
    router.add_get("/v1/info", info)
    router.add_put(RUN, runs.open)
    router.add_get(RUN, runs.show)
    router.add_delete(RUN, runs.close)
    router.add_put(RUN + r"/updates/{n:\d{1,15}}", updates.put)
    router.add_get(RUN + r"/updates/{n:\d{1,15}}", updates.get)
    router.add_post(RUN + "/logprobs", scores.create)
    router.add_post(RUN + "/checkpoints", checkpoints.create)
    router.add_get(RUN + "/checkpoints", checkpoints.index)
    router.add_post(RUN + "/publish", publishes.create)
    router.add_get(RUN + "/publish", publishes.show)
    router.add_post(RUN + "/tokenize", runs.tokenize)
    router.add_post(RUN + "/detokenize", runs.detokenize)
    router.add_post("/v1/engine/offload", memory.offload)
    router.add_post("/v1/engine/onload", memory.onload)
    router.add_get("/v1/models", generation.models)
    router.add_post("/v1/completions", generation.completions)
    return app


def _info(engine: Engine, runs: Runs, max_body_bytes: int) -> dict[str, object]:
    device = engine.device
    return {
        "format": FORMAT,
        "service": "gradus-trainer",
        "version": gradus_trainer.__version__,
        "torch": torch.__version__,
        "device": device.type,
        "dtype_compute": str(choose_compute("auto", device)).removeprefix("torch."),
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "threads": torch.get_num_threads(),
        "determinism": determinism(device),
        "losses": LOSS,
        "offloaded": runs.offloaded,
        "max_body_bytes": max_body_bytes,
        "runs": [
            {
                "run": session.name,
                "version": session.version,
                "next_update": session.next_update,
                "attention": session.live.attention,
            }
            for session in runs.sessions.values()
        ],
        "memory": {"resident_bytes": resident_memory(), "peak_bytes": peak_memory(device)},
    }
