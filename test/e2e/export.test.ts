/** `gradus export`: each form is loaded as the tool loads it that it is made for. */
import { assert, describe, it } from "@effect/vitest"
import { inTrainerPython } from "@gradus/testing/TrainerPython"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { directory, gradus, lastLine, root } from "../gradus.ts"
import { jsonLines, rated, rowsFile } from "../rows.ts"

/** Runs a script and reads the JSON that it prints. */
const inPython = (script: string, cwd: string): any => {
  const printed = inTrainerPython(script, cwd)
  return printed === "" ? undefined : JSON.parse(printed)
}
const planned = (input: string) => [
  "--input",
  input,
  "--passed",
  "k",
  "--n",
  "8",
  "--prompts-per-step",
  "5",
  "--seed",
  "7"
]
const batchesOf = async (input: string) => jsonLines((await gradus("plan", ...planned(input), "--json")).stdout)

describe("gradus export --to rows", () => {
  it("writes the rows in the plan's order with batch and place, as JSONL and as Parquet", async () => {
    const input = rated()
    const batches = await batchesOf(input)
    const byId = new Map(jsonLines(readFileSync(input, "utf8")).map((row) => [row.id, row]))
    const expected = batches.flatMap(({ batch, questions }) =>
      questions.map((id: string, position: number) => ({
        ...byId.get(id),
        gradus_batch: batch,
        gradus_position: position
      }))
    )
    const cwd = directory()
    const lines = join(cwd, "rows.jsonl")
    const result = lastLine(await gradus("export", ...planned(input), "--to", "rows", "--output", lines, "--json"))
    assert.deepStrictEqual(result, { to: "rows", batches: 4, questions: 18, files: [lines] })
    assert.deepStrictEqual(jsonLines(readFileSync(lines, "utf8")), expected)
    const table = await gradus("export", ...planned(input), "--to", "rows", "--output", join(cwd, "rows.parquet"))
    assert.strictEqual(table.code, 0, table.stderr)
    const script = 'import json, pyarrow.parquet as pq; print(json.dumps(pq.read_table("rows.parquet").to_pylist()))'
    assert.deepStrictEqual(inPython(script, cwd), expected)
  })

  it("leaves columns out that are named, nested ones that Parquet cannot hold among them", async () => {
    const input = rowsFile([
      { id: "a", k: 1, tries: { first: true } },
      { id: "b", k: 2, tries: { first: false } }
    ])
    const cwd = directory()
    const to = (...more: ReadonlyArray<string>) =>
      gradus("export", ...planned(input), "--to", "rows", "--output", join(cwd, "rows.parquet"), ...more)
    const nested = await to()
    assert.strictEqual(nested.code, 2)
    assert.include(nested.stderr, "column tries holds nested or mixed values")
    assert.include(
      (await to("--drop-column", "trys")).stderr,
      "there is no column trys to drop; there are id, k, tries"
    )
    assert.isFalse(existsSync(join(cwd, "rows.parquet")))
    assert.strictEqual((await to("--drop-column", "tries")).code, 0)
    const script = 'import json, pyarrow.parquet as pq; print(json.dumps(pq.read_table("rows.parquet").column_names))'
    assert.deepStrictEqual(inPython(script, cwd), ["id", "k", "gradus_batch", "gradus_position"])
  })

  it("refuses a column that it would write over, and writes nothing", async () => {
    const output = join(directory(), "rows.jsonl")
    const input = rowsFile([{ id: "a", k: 1, gradus_batch: 3 }])
    const ended = await gradus("export", ...planned(input), "--to", "rows", "--output", output)
    assert.strictEqual(ended.code, 2)
    assert.include(ended.stderr, `${input}: it has a column gradus_batch already`)
    assert.isFalse(existsSync(output))
  })

  it("writes the questions that a manifest's task makes, in the order that its run will ask", async () => {
    const cwd = directory()
    const tiny = join(root, "test/e2e/tiny.yaml")
    const rows = join(cwd, "rows.jsonl")
    const args = ["--runs", cwd, "-s", "warmup.steps=40"]
    lastLine(await gradus("export", tiny, ...args, "--to", "rows", "--output", rows, "--json"))
    const script = `
import glob, json, pyarrow.parquet as pq
print(json.dumps(pq.read_table(glob.glob("tiny--*/plan.parquet")[0], columns=["batch", "position", "question_id"]).to_pylist()))`
    assert.deepStrictEqual(
      jsonLines(readFileSync(rows, "utf8")).map(({ gradus_batch, gradus_position, question_id }) => ({
        batch: gradus_batch,
        position: gradus_position,
        question_id
      })),
      inPython(script, cwd)
    )
    for (const { gold, question } of jsonLines(readFileSync(rows, "utf8")))
      assert.strictEqual([...question].toSorted().join(""), gold)
  }, 120_000)
})

// verl itself is not installed: this is its way of loading (overrides, Parquet, load_extern_object, create_rl_sampler, its loader's settings), by its public source
const verl = `
import importlib.util, json, sys, types
import pyarrow.parquet as pq
from torch.utils.data import DataLoader, Sampler

class AbstractSampler(Sampler):
    def __init__(self, data_source, data_config):
        pass

for name in ["verl", "verl.experimental", "verl.experimental.dataset", "verl.experimental.dataset.sampler"]:
    sys.modules[name] = types.ModuleType(name)
sys.modules["verl.experimental.dataset.sampler"].AbstractSampler = AbstractSampler

class Config(dict):
    __getattr__ = dict.__getitem__

config = Config(data=Config(sampler=Config()), trainer=Config())
for line in open("overrides.txt"):
    path, value = line.strip().lstrip("+").split("=", 1)
    *parents, last = path.split(".")
    node = config
    for parent in parents:
        node = node[parent]
    node[last] = int(value) if value.isdigit() else value
rows = pq.read_table(config.data.train_files.strip("[]'")).to_pylist()
found = importlib.util.spec_from_file_location("custom_module", config.data.sampler.class_path)
module = importlib.util.module_from_spec(found)
found.loader.exec_module(module)
sampler = getattr(module, config.data.sampler.class_name)(data_source=rows, data_config=config.data)
assert isinstance(sampler, AbstractSampler) and config.data.get("dataloader_num_workers", 8) == 0
loader = DataLoader(rows, batch_size=config.data.get("gen_batch_size", config.data.train_batch_size), num_workers=0, drop_last=True, collate_fn=list, sampler=sampler)
print(json.dumps([[row["id"] for row in batch] for batch in loader]))
`

describe("gradus export --to verl", () => {
  it("gives verl's loader the plan's batches, by the overrides that it writes", async () => {
    const input = rated()
    const output = join(directory(), "verl")
    const ended = await gradus("export", ...planned(input), "--to", "verl", "--output", output)
    assert.strictEqual(ended.code, 0, ended.stderr)
    assert.include(ended.stderr, "verl drops a last batch that is not full: 3 questions of the plan will not be asked")
    const full = (await batchesOf(input)).map(({ questions }) => questions).filter((ids) => ids.length === 5)
    assert.lengthOf(full, 3)
    assert.deepStrictEqual(inPython(verl, output), full)
    // importing torch alone takes seconds
  }, 60_000)
})

describe("gradus export --to prime-rl", () => {
  it("writes the pools as TOML and the pass rates as the sampler's state", async () => {
    const output = join(directory(), "prime")
    const pools =
      "curriculum={batcher: pools, pools: [{name: low, threshold: 0.5, weight: 2}, {name: high, threshold: 1, weight: 0.5}]}"
    // it draws its own batches: their size is not asked for, and refused where it is given
    const args = ["--input", rated(), "--passed", "k", "--n", "8", "--seed", "7"]
    const result = await gradus("export", ...args, "-s", pools, "--to", "prime-rl", "--output", output)
    assert.strictEqual(result.code, 0, result.stderr)
    // its configuration's fields and its sampler's rule, by its public source
    const script = `
import json, random, sys, tomllib, types
sys.path.insert(0, "")
sampler = tomllib.load(open("curriculum.toml", "rb"))["orchestrator"]["train"]["source"]["curriculum"]["sampler"]
assert sampler["type"] == "difficulty_pool" and isinstance(sampler["seed"], int)
from load_sampler_state import load
state = {}
own = types.SimpleNamespace(tasks=[types.SimpleNamespace(key=f"q{i}") for i in range(27)], state_dict=dict, load_state_dict=state.update)
assert load(own) == 27
ordered = sorted(sampler["pools"].items(), key=lambda item: item[1]["threshold"])
def pool(score):
    return next((name for name, own in ordered if score <= own["threshold"]), ordered[-1][0])
print(json.dumps([sampler["pools"], {key: pool(score) for key, score in state["task_rewards"].items()}]))`
    const [written, placed] = inPython(script, output)
    assert.deepStrictEqual(written, { low: { threshold: 0.5, weight: 2 }, high: { threshold: 1, weight: 0.5 } })
    const expected = Object.fromEntries(
      Array.from({ length: 27 }, (_, i) => [`q${i}`, (i % 9) / 8 <= 0.5 ? "low" : "high"])
    )
    assert.deepStrictEqual(placed, expected)
  })
})
