/** Exports, loaded by Python as the tools load them: verl's data loader with a sampler class, prime-rl's pools of a TOML table and a state. */
import { assert, describe, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { CurriculumSpec } from "@gradus/domain/manifest/Curriculum"
import * as Seed from "@gradus/domain/Seed"
import { trainerPython } from "@gradus/testing/TrainerPython"
import * as Schema from "effect/Schema"
import { defaultPools, poolOf as poolOfRate } from "../src/batchers/Pools.ts"
import { primeRlConfig, primeRlLoader, primeRlState } from "../src/exports/PrimeRlPools.ts"
import { verlOrder, verlOverrides, verlSamplerModule } from "../src/exports/VerlSampler.ts"
import { plan } from "../src/Plan.ts"
import { poolOf } from "./Pools.ts"

/** Runs a Python script in a fresh directory with files, and reads the JSON that it prints. */
const inPython = (
  script: string,
  files: Readonly<Record<string, string>>
): { readonly out: unknown; readonly error: string } => {
  const directory = mkdtempSync(join(tmpdir(), "gradus-export-"))
  try {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text)
    const { stderr, stdout } = spawnSync(trainerPython(), ["-c", script], { cwd: directory, encoding: "utf8" })
    return { out: stdout === "" ? undefined : JSON.parse(stdout), error: stderr }
  } finally {
    rmSync(directory, { recursive: true })
  }
}

const pool = poolOf([10, 10, 10, 7], 4)
const ids = pool.map((question) => question.question_id)
const spec = Schema.decodeSync(CurriculumSpec)({ batcher: "gaussian" })
const { batches } = plan({ pool, spec, promptsPerStep: 8, seed: Seed.root(1) })

// verl itself is not installed: this is its interface (AbstractSampler, load_extern_type, create_rl_sampler and the loader's settings), by its public source.
const verl = `
import importlib.util, json, sys, types
from torch.utils.data import DataLoader, Dataset, Sampler

class AbstractSampler(Sampler):
    def __init__(self, data_source, data_config):
        pass

for name in ["verl", "verl.experimental", "verl.experimental.dataset", "verl.experimental.dataset.sampler"]:
    sys.modules[name] = types.ModuleType(name)
sys.modules["verl.experimental.dataset.sampler"].AbstractSampler = AbstractSampler

class Config(dict):
    __getattr__ = dict.get

class Rows(Dataset):
    def __init__(self, rows): self.rows = rows
    def __len__(self): return len(self.rows)
    def __getitem__(self, i): return self.rows[i]

def loader(rows, config):
    found = importlib.util.spec_from_file_location("custom_module", config.sampler.class_path)
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    sampler = getattr(module, config.sampler.class_name)(data_source=rows, data_config=config)
    assert isinstance(sampler, AbstractSampler)
    assert config.dataloader_num_workers == 0
    return DataLoader(rows, batch_size=config.train_batch_size, num_workers=0, drop_last=True, sampler=sampler, collate_fn=list)

ids = json.load(open("ids.json"))
def attempt(size, ids):
    config = Config(train_batch_size=size, dataloader_num_workers=0,
        sampler=Config(class_path="gradus_sampler.py", class_name="PlannedOrder", order="order.json"))
    try:
        return list(loader(Rows(ids), config))
    except ValueError as error:
        return str(error)
print(json.dumps([attempt(8, ids), attempt(8, ids[1:]), attempt(4, ids)]))
`

describe("the verl sampler", () => {
  it("gives verl's data loader the batches of the plan but a last one that is not full, and refuses other data and batches", () => {
    const { error, out } = inPython(verl, {
      "gradus_sampler.py": verlSamplerModule,
      "order.json": JSON.stringify(verlOrder(batches, ids)),
      "ids.json": JSON.stringify(ids)
    })
    const full = batches.map((batch) => batch.questions).filter((questions) => questions.length === 8)
    assert.strictEqual(batches.length, full.length + 1)
    const [drawn, otherRows, otherSize] = (out ?? []) as ReadonlyArray<unknown>
    assert.deepStrictEqual(drawn, full, error)
    assert.include(String(otherRows), "the plan is of 37 rows and the data set has 36")
    assert.include(String(otherSize), "the plan has batches of 8, data.train_batch_size is 4")
    // importing torch alone takes seconds
  }, 60_000)

  it("is not made of plans that verl cannot follow", () => {
    assert.throws(() => verlOrder(batches, ids.slice(1)), "is not in the data set")
    assert.throws(() => verlOrder([...batches, ...batches], ids), "verl cuts equal batches only")
    assert.include(verlOverrides(verlOrder(batches, ids), "s.py", "o.json"), "data.train_batch_size=8")
  })
})

// prime-rl is not installed: its configuration's checks and its sampler's rule for the pool of a task, by its public source.
const primeRl = `
import json, random, tomllib, types
config = tomllib.load(open("pools.toml", "rb"))
for name in TABLE.split("."):
    config = config[name]
assert config["type"] == "difficulty_pool" and isinstance(config["seed"], int)
pools = config["pools"]
assert all(isinstance(pool["threshold"], float) and isinstance(pool["weight"], float) for pool in pools.values())
assert len({pool["threshold"] for pool in pools.values()}) == len(pools)
assert any(pool["weight"] > 0 for pool in pools.values())
ordered = sorted(pools.items(), key=lambda item: item[1]["threshold"])
class Sampler:
    def __init__(self, keys):
        self.tasks = tuple(types.SimpleNamespace(key=key) for key in keys)
        self.rng = random.Random(config["seed"])
        self.task_rewards = {}
    def state_dict(self):
        return {"rng": self.rng.getstate(), "task_rewards": dict(self.task_rewards)}
    def load_state_dict(self, state):
        self.rng.setstate(state["rng"])
        self.task_rewards = dict(state["task_rewards"])
    def task_pool(self, key):
        score = self.task_rewards.get(key)
        if score is None: return None
        return next((name for name, pool in ordered if score <= pool["threshold"]), ordered[-1][0])
from load_sampler_state import load
sampler = Sampler(json.load(open("ids.json")))
loaded = load(sampler)
assert sampler.rng.random() == random.Random(config["seed"]).random()
try:
    load(Sampler(["strange"]))
    refused = ""
except ValueError as error:
    refused = str(error)
print(json.dumps([loaded, refused, {task.key: sampler.task_pool(task.key) for task in sampler.tasks}]))
`

describe("the prime-rl pools", () => {
  it("are read from TOML, and put each question where the batcher puts it; unscored ones stay unseen", () => {
    const pools = [...defaultPools, { name: "too easy?", threshold: 1.5, weight: 0.125 }]
    const profile = [
      ...pool,
      { question_id: "easy", passed: 4, scored: 4 },
      { question_id: "unscored", passed: 0, scored: 0 }
    ]
    // a question that is no task of the source
    const elsewhere = { question_id: "elsewhere", passed: 1, scored: 4 }
    const table = "orchestrator.train.source.curriculum.sampler"
    const { error, out } = inPython(primeRl.replace("TABLE", JSON.stringify(table)), {
      "pools.toml": primeRlConfig(pools, 7),
      "sampler_state.json": JSON.stringify(primeRlState([...profile, elsewhere], 7)),
      "load_sampler_state.py": primeRlLoader,
      "ids.json": JSON.stringify(profile.map((question) => question.question_id))
    })
    const expected = Object.fromEntries(
      profile.map(({ passed, question_id, scored }) => [
        question_id,
        scored === 0 ? null : pools[poolOfRate(pools, passed / scored)]?.name
      ])
    )
    const refused = `no task has the key of a question: ${pool[0]?.question_id} is one, strange the other`
    assert.deepStrictEqual(out, [pool.length + 1, refused, expected], error)
    assert.strictEqual(new Set(Object.values(expected)).size, 4)
  })

  it("are refused where prime-rl would refuse them", () => {
    assert.throws(() => primeRlConfig([], 1), "at least one pool")
    assert.throws(() => primeRlConfig([...defaultPools, { name: "x", threshold: 1, weight: 1 }], 1), "threshold")
    assert.throws(() => primeRlState([], 0.5), "seed")
  })
})
