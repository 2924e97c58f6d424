"""The OpenAI-shaped routes: /v1/models and /v1/completions, a subset of vLLM's. Work ends when its client goes."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from aiohttp import web

from gradus_trainer.engine.engine import Engine
from gradus_trainer.engine.live_run import LiveRun
from gradus_trainer.engine.run import engine_offloaded
from gradus_trainer.front.body import answer_json, read_sized_json
from gradus_trainer.front.off_loop import compute
from gradus_trainer.front.runs import Runs, check_ids
from gradus_trainer.front.session import Session
from gradus_trainer.generated.wire import FORMAT
from gradus_trainer.problem import Problem
from gradus_trainer.sampler.continuous.weights import Quantisation
from gradus_trainer.sampler.decode import Chunk, Completions
from gradus_trainer.sampler.job import Job
from gradus_trainer.sampler.queue import GenerationQueue
from gradus_trainer.wire.fields import Fields

MAX_ROWS = 16384
MAX_STOP_TOKENS = 64
LOOK_SECONDS = 0.2
"""How often a handler that waits looks whether its client is still there."""


class Generation:
    """Generation on the live weights."""

    def __init__(self, runs: Runs, engine: Engine) -> None:
        self._runs = runs
        self._continuous = engine.device.type == "cuda"
        self.queue = GenerationQueue(engine.submit, self._continuous)
        self._count = 0

    def make_way(self) -> None:
        """Refuses who waits for a round, and drops all generators with their pools and graphs.

        Runs on the engine thread, before the device's memory is handed over.
        """
        self.queue.refuse_waiting(engine_offloaded())
        self.queue.forget_all()

    async def models(self, _request: web.Request) -> web.Response:
        """One model a run."""
        data = [
            {
                "id": name,
                "object": "model",
                "created": 0,
                "owned_by": "gradus",
                "max_model_len": session.live.architecture.max_positions,
            }
            for name, session in sorted(self._runs.sessions.items())
        ]
        return answer_json({"format": FORMAT, "object": "list", "data": data})

    async def completions(self, request: web.Request) -> web.Response:
        """Decodes the request: as a chunk of its own on a CPU, in a round with others on a GPU."""
        document, size = await read_sized_json(request)
        fields = Fields(document)
        session = self._runs.named(fields.text("model"), "model")
        chunk, shown, quantisation = await compute(size, _read_request, fields, session, self._continuous)
        self._runs.check_loaded()
        live = session.live
        if not isinstance(live, LiveRun):
            detail = "the policy is cut over workers, which do not generate: use a generator of its own (vLLM)"
            raise Problem("policy_unavailable", detail, field="model")
        job = self.queue.ask(live, chunk, quantisation)
        done = await _answer_unless_gone(request, job)
        self._count += 1
        head = {"format": FORMAT, "id": f"cmpl-{session.name}-{self._count}", "object": "text_completion"}
        head |= {"created": int(time.time()), "policy_version": job.version}
        return await asyncio.to_thread(lambda: answer_json(head | _document(session, chunk, done, shown)))


async def _answer_unless_gone(request: web.Request, job: Job) -> Completions:
    """Waits for the answer; when the connection closes first, the job is abandoned."""
    answer = asyncio.wrap_future(job.answer)
    try:
        while not answer.done():
            await asyncio.wait([answer], timeout=LOOK_SECONDS)
            if request.transport is None:
                raise asyncio.CancelledError
        return answer.result()
    except asyncio.CancelledError:
        job.abandon()
        raise


def _read_request(fields: Fields, session: Session, continuous: bool) -> tuple[Chunk, frozenset[str], Quantisation]:
    """The chunk to decode, which of `token_ids`, `logprobs` the answer shows, and how weights are kept."""
    prompts = _read_prompts(fields, session)
    samples = fields.integer("n", 1, MAX_ROWS, default=1)
    if samples * len(prompts) > MAX_ROWS:
        raise fields.refuse("n", f"makes more than {MAX_ROWS} rows")
    max_positions = session.live.architecture.max_positions
    max_tokens = fields.integer("max_tokens", 1, default=16)
    longest = max(len(prompt) for prompt in prompts)
    if longest >= max_positions:
        raise fields.refuse("prompt", f"has {longest} tokens of {max_positions}", "sequence_too_long")
    if longest + max_tokens > max_positions:
        raise fields.refuse("max_tokens", f"and {longest} tokens of prompt exceed {max_positions} positions")
    temperature = fields.number("temperature", low=0, high=1e4, default=1.0)
    if fields.number("top_p", default=1.0) != 1.0:
        raise fields.refuse("top_p", "must be 1")
    extension = fields.object("gradus") if fields.has("gradus") else Fields({}, "gradus")
    seeds = _read_seeds(fields, extension, len(prompts), samples)
    quantisation = _read_quantisation(extension, continuous)
    extension.close()
    shown = set()
    if fields.boolean("return_token_ids", default=False):
        shown.add("token_ids")
    if fields.has("logprobs"):
        fields.integer("logprobs", 0, 0)
        shown.add("logprobs")
    stop = [*session.live.tokenizer.end, *_read_stop(fields, session)]
    for optional in ("format", "logprobs", "gradus"):
        if not fields.has(optional):
            fields.skip(optional)
    if fields.has("format"):
        fields.format()
    fields.close()
    chunk = Chunk(prompts, samples, max_tokens, temperature, seeds, tuple(dict.fromkeys(stop)))
    return chunk, frozenset(shown), quantisation


def _read_prompts(fields: Fields, session: Session) -> list[list[int]]:
    prompt = fields.raw("prompt")
    if isinstance(prompt, str):
        prompt = [prompt]
    if not isinstance(prompt, list) or not prompt:
        raise fields.refuse("prompt", "must be text or token ids", "field_type")
    if len(prompt) > MAX_ROWS and not isinstance(prompt[0], int):
        raise fields.refuse("prompt", f"must have at most {MAX_ROWS} elements")
    if all(isinstance(text, str) for text in prompt):
        rows = session.live.tokenizer.tokenize(prompt, "prompt")
    else:
        rows = prompt if isinstance(prompt[0], list) else [prompt]
    for index, row in enumerate(rows):
        check_ids(row, f"prompt[{index}]", session.live.architecture.vocab_size)
        if not row:
            raise fields.refuse(f"prompt[{index}]", "has no tokens")
    return rows


def _read_quantisation(extension: Fields, continuous: bool) -> Quantisation:
    chosen = extension.choice("quantisation", ["none", "fp8"], default="none")
    if chosen == "none":
        return "none"
    if not continuous:
        raise extension.refuse("quantisation", "needs a GPU")
    return "fp8"


def _read_seeds(fields: Fields, extension: Fields, prompts: int, samples: int) -> list[int]:
    seed = fields.integer("seed", default=0)
    if not extension.has("group_seeds"):
        extension.skip("group_seeds")
        return [seed + index * samples for index in range(prompts)]
    seeds = extension.array("group_seeds", MAX_ROWS)
    if len(seeds) != prompts:
        raise extension.refuse("group_seeds", f"must have {prompts} elements", "length_mismatch")
    for index, value in enumerate(seeds):
        if type(value) is not int:
            raise extension.refuse(f"group_seeds[{index}]", "must be an integer", "field_type")
        if not 0 <= value < 2**64:
            raise extension.refuse(f"group_seeds[{index}]", "must be between 0 and 2^64 − 1")
    return seeds


def _read_stop(fields: Fields, session: Session) -> list[int]:
    if not fields.has("stop_token_ids"):
        fields.skip("stop_token_ids")
        return []
    stop = fields.array("stop_token_ids", MAX_STOP_TOKENS)
    check_ids(stop, "stop_token_ids", session.live.architecture.vocab_size)
    return stop


def _document(session: Session, chunk: Chunk, done: Completions, shown: frozenset[str]) -> dict[str, Any]:
    spoken = [ids[:-1] if stopped else ids for ids, stopped in zip(done.token_ids, done.stopped, strict=True)]
    texts = session.live.tokenizer.detokenize(spoken)
    choices = []
    for index, text in enumerate(texts):
        prompt, sample = divmod(index, chunk.samples)
        choice: dict[str, Any] = {
            "index": index,
            "text": text,
            "finish_reason": "stop" if done.stopped[index] else "length",
            "logprobs": {"token_logprobs": done.logprobs[index]} if "logprobs" in shown else None,
        }
        if "token_ids" in shown:
            choice["token_ids"] = done.token_ids[index]
            choice["prompt_token_ids"] = chunk.prompts[prompt] if sample == 0 else None
        choices.append(choice)
    prompt_tokens = sum(len(prompt) for prompt in chunk.prompts)
    completion_tokens = sum(len(ids) for ids in done.token_ids)
    usage = {"prompt_tokens": prompt_tokens, "completion_tokens": completion_tokens}
    usage["total_tokens"] = prompt_tokens + completion_tokens
    return {"model": session.name, "choices": choices, "usage": usage}
