/** Rules between values, each broken once in an otherwise good manifest. */
import { assert, describe, it } from "@effect/vitest"
import { good, linesOf, overridden } from "./GoodManifest.ts"

const files = "questions={kind: files, train: {path: a.jsonl}}"
const JUDGED = "rewards.accuracy=judge"
const cases: ReadonlyArray<readonly [overrides: ReadonlyArray<string>, line: string]> = [
  [["rewards.accuracy=judge"], "rewards.judge: is required by accuracy: judge"],
  [["rewards.cascade=judge"], "rewards.judge: is required by cascade: judge"],
  [
    ["rewards.judge={endpoint: 'http://h', model: m}"],
    "rewards.judge: has no effect: nothing is judged without accuracy: judge or cascade: judge"
  ],
  [
    [JUDGED, "rewards.judge={endpoint: 'http://h', model: m, patience: 60}"],
    "rewards.judge.patience: has no effect with outage: unscored"
  ],
  [
    ["rewards.format=none", "rewards.format_options={think_tag: thought}"],
    "rewards.format_options: has no effect with format: none"
  ],
  [
    ["rewards.format=none", "rewards.format_options={think_opened_by_template: true}", "rewards.answer=whole"],
    "rewards.format_options: has no effect with format: none"
  ],
  [
    ["rewards.format=none", "rewards.format_options={think_opened_by_template: true, answer_tag: a}"],
    "rewards.format_options.answer_tag: has no effect with format: none"
  ],
  [["rewards.truncated=soft"], "rewards.overlong: is required by truncated: soft"],
  [["rewards.weights={format: 2}"], "rewards.weights: has no effect with compose: product"],
  [
    [JUDGED, "rewards.judge={endpoint: 'https://u:p@h/v1', model: m}"],
    "rewards.judge.endpoint: must not hold a user name or password"
  ],
  [
    [JUDGED, "rewards.judge={endpoint: 'http://h', model: m, replicas: ['http://h', 'http://u:p@h']}"],
    "rewards.judge.replicas[1]: must not hold a user name or password"
  ],
  [
    [JUDGED, "rewards.judge={endpoint: 'http://h', model: m, panel: [{endpoint: 'http://u@h', model: n}]}"],
    "rewards.judge.panel[0].endpoint: must not hold a user name or password"
  ],
  [
    [
      JUDGED,
      "rewards.judge={endpoint: 'http://h', model: m, budget: 5, panel: [{endpoint: 'http://h', model: n}], prices: {m: {prompt: 1, completion: 2}}}"
    ],
    "rewards.judge.prices: must have a price of n: budget counts by it"
  ],
  [
    [JUDGED, "rewards.judge={endpoint: 'http://h', model: m, spent: pause}"],
    "rewards.judge.spent: has no effect without a budget"
  ],
  [
    [JUDGED, "rewards.judge={endpoint: 'http://h', model: m, account: a}"],
    "rewards.judge.account: has no effect without a budget"
  ],
  [
    ["generator={kind: vllm, urls: ['http://127.0.0.1:1'], model: m, transport: directory}"],
    "generator.directory: is required by transport: directory"
  ],
  [
    ["generator={kind: vllm, urls: ['http://localhost:1', 'http://10.0.0.1:1'], model: m, transport: ipc}"],
    "generator.urls[1]: must be on loopback with transport: ipc"
  ],
  [
    ["generator={kind: vllm, urls: ['http://h', 'http://h'], model: m}"],
    "generator.urls: must not name a server twice"
  ],
  [
    ["trainer={kind: service, url: 'http://u@h', token: {env: T}}"],
    "trainer.url: must not hold a user name or password"
  ],
  [
    ["curriculum={batcher: gaussian, centre: quantile, start: 0.9}"],
    "curriculum.start: has no effect with centre: quantile, which goes through the pool's own rates"
  ],
  [
    ["curriculum={batcher: gaussian, centre: quantile, end: 0.1}"],
    "curriculum.end: has no effect with centre: quantile, which goes through the pool's own rates"
  ],
  [
    ["curriculum={batcher: gaussian, centre: cosine, stairs: 3}"],
    "curriculum.stairs: has no effect with centre: cosine: step has stairs"
  ],
  [
    ["curriculum={batcher: gaussian, stairs: 3}"],
    "curriculum.stairs: has no effect with centre: linear: step has stairs"
  ],
  [["curriculum={batcher: gaussian, reuse: true}"], "curriculum.reuse: has no effect without epochs"],
  [
    ["curriculum={batcher: gaussian, domains: ignore, domain_ratios: {a: 1}}"],
    "curriculum.domain_ratios: has no effect with domains: ignore"
  ],
  [
    ["curriculum={batcher: gaussian, domain_ratios: {a: 0, b: 0}}"],
    "curriculum.domain_ratios: must have a ratio above 0"
  ],
  [["profile={from: {file: r.jsonl, column: p, kind: rate}}"], "profile.from.n: or n_column is required by kind: rate"],
  [
    ["profile={from: {file: r.jsonl, column: p, kind: rate, n: 8, n_column: of}}"],
    "profile.from.n_column: stands beside n: samples are said once"
  ],
  [["curriculum={batcher: balanced, low: 0.9, high: 0.1}"], "curriculum.low: must be at most high, 0.1"],
  [
    [
      "curriculum={batcher: pools, pools: [{name: a, threshold: 0.5, weight: 1}, {name: b, threshold: 0.5, weight: 2}]}"
    ],
    "curriculum.pools[1].threshold: is that of a: pools need their own"
  ],
  [
    ["curriculum={batcher: pools, pools: [{name: a, threshold: 0.5, weight: 1}, {name: a, threshold: 1, weight: 2}]}"],
    "curriculum.pools[1].name: names a second pool"
  ],
  [["trainer={kind: torchrun, processes: 6, replicas: 4}"], "trainer.processes: must be a multiple of replicas, 4"],
  [["questions.letters={min: 9, max: 8}"], "questions.letters.min: must be at most letters.max, 8"],
  [["questions.hard_letters=[13, 12]"], "questions.hard_letters[1]: must be greater than letters.max, 12"],
  [
    ["questions={kind: arithmetic, hard_levels: [chain6, add2]}", "policy={kind: gguf, path: p}"],
    "questions.hard_levels[1]: must not be one of levels"
  ],
  [[files], "questions.warmup: is required by warmup: worked examples to imitate"],
  [
    ["questions={kind: files, train: {path: a}, warmup: {path: b}}"],
    "questions.warmup.columns.completion: is required by warmup: the text to imitate"
  ],
  [["train.updates_per_step=33"], "train.updates_per_step: must be at most prompts_per_step, 32"],
  [["train.group_floor=17"], "train.group_floor: must be at most samples_per_prompt, 16"],
  [["filter.floor=0.75"], "filter.floor: must be less than drop_at, 0.75"],
  [
    ["policy.architecture.max_positions=39"],
    "policy.architecture.max_positions: must be at least sampling.max_tokens, 40"
  ],
  [["policy.architecture.kv_heads=3"], "policy.architecture.heads: must be a multiple of kv_heads, 3"],
  [["policy.architecture.head_dim=31"], "policy.architecture.head_dim: must be even: positions rotate pairs"],
  [["policy.tokenizer.tokens[6]=<on>"], "policy.tokenizer.tokens[6]: is in the vocabulary already"],
  [
    ["policy.tokenizer.characters='abcdefghijklmnopqrstuvwxyz=a'"],
    'policy.tokenizer.characters: holds "a" a second time'
  ],
  [["policy.tokenizer.end=<pad>"], "policy.tokenizer.end: must differ from pad"],
  [["prompt.template='{mode}{quesiton}{question}'"], "prompt.template: unknown marker; did you mean `{question}`?"],
  [["prompt.template='{question}='"], "prompt.template: must contain {mode}: off_share asks for both modes"],
  [["prompt.template='{mode}{question}?'"], 'prompt.template: holds "?", for which policy.tokenizer has no token'],
  [["prompt.mode.off=<of>"], 'prompt.mode.off: holds "<", for which policy.tokenizer has no token']
]

describe("a rule between values", () => {
  it.each(cases)("%j", (overrides, line) => {
    // A rule's place is the value itself or its nearest written parent, in the file or in the override.
    const lines = linesOf(good, ...overrides).map((text) => text.slice(text.indexOf(line.split(":")[0]!)))
    assert.strictEqual(lines.length, 1, lines.join("\n"))
    assert.isTrue(lines[0]!.endsWith(line), `${lines[0]} is not ${line}`)
  })
  it("stands where the value is written, or its nearest parent", () => {
    assert.deepStrictEqual(linesOf(`${good}rewards:\n  accuracy: judge\n`), [
      "m.yaml:21:1 rewards.judge: is required by accuracy: judge"
    ])
    assert.match(linesOf(good.replace("max_positions: 128", "max_positions: 8"))[0]!, /^m\.yaml:9:123 /)
  })
  it("says all rules that are broken", () => {
    assert.strictEqual(overridden("train.updates_per_step=33", "train.group_floor=17", "filter.floor=1").length, 3)
  })
  it.each([
    [["rewards.format=none", "rewards.format_options={think_opened_by_template: true}"]],
    [[JUDGED, "rewards.judge={endpoint: 'http://h', model: m, outage: wait, patience: 60}"]],
    [["rewards.cascade=judge", "rewards.judge={endpoint: 'http://h', model: m}"]],
    [["questions.off_share=0", "prompt.template='{question}='"]],
    [["rewards.format=none", "prompt.template='{question}='"]],
    [["policy={kind: gguf, path: p}", "prompt.template='{mode}{question} Write {\"answer\": …}'"]],
    [["questions={kind: files, train: {path: a}, warmup: {path: b, columns: {completion: c}}}"]]
  ] as ReadonlyArray<readonly [ReadonlyArray<string>]>)("does not hold against %j", (overrides) =>
    assert.deepStrictEqual(linesOf(good, ...overrides), [])
  )
})
