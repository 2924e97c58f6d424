/** Errors are short, human, complete, and stand at the right place. */
import { assert, describe, it } from "@effect/vitest"
import { good, linesOf, overridden } from "./GoodManifest.ts"

const QUERY =
  "must not hold a query or a fragment (? or #): a key is named by { env: NAME }, never written in an address"
const cases: ReadonlyArray<readonly [override: string, line: string]> = [
  ["version=2", "version: must be 1"],
  ["seed=-1", "seed: must be at least 0"],
  ["seed=1.5", "seed: must be a whole number"],
  ["seed='1'", "seed: must be a number, not a text"],
  ["seed=", "seed: must be a number, not nothing"],
  ["name=a b", "name: must be 1 to 64 letters, digits, _ or -, and begin with a letter or digit"],
  ["name=[a]", "name: must be a text, not a list"],
  ["sampling.temperature=.nan", "sampling.temperature: must be a finite number"],
  ["train.learning_rate.peak=0", "train.learning_rate.peak: must be greater than 0"],
  ["questions.off_share=1.1", "questions.off_share: must be at most 1"],
  ["questions.hard_letters=[]", "questions.hard_letters[0]: the list is too short"],
  ["questions.teacher.swap=[0.1, 0.1, 0.1, 0.1]", "questions.teacher.swap[3]: is one item too many"],
  ["questions.kind=sortng", "questions.kind: must be one of sorting, arithmetic, files; did you mean `sorting`?"],
  ["questions={}", "questions.kind: is required, but missing; one of sorting, arithmetic, files"],
  ["questions=[]", "questions: must be a map, not a list"],
  ["questions.heldot=5", "questions.heldot: unknown key; did you mean `heldout`?"],
  [
    "curriculum.batcher=gausian",
    "curriculum.batcher: must be one of gaussian, uniform, sorted, reversed, balanced, e2h_gaussian, adarft, learnability, pools, bandit; did you mean `gaussian`?"
  ],
  ["curriculum={batcher: uniform, sigma: 0.1}", "curriculum.sigma: unknown key"],
  ["policy={kind: gguf, pth: x, path: y}", "policy.pth: unknown key; did you mean `path`?"],
  ["policy={kind: artifact, digest: abc}", "policy.digest: must be a SHA-256 in 64 lower-case hexadecimal digits"],
  ["policy.architecture.tied_embeddings=1", "policy.architecture.tied_embeddings: must be true or false, not a number"],
  ["train.samples_per_prompt=1", "train.samples_per_prompt: must be at least 2"],
  ["warmup.optimizer.kind=adam", "warmup.optimizer.kind: must be adamw; did you mean `adamw`?"],
  [
    "rewards.answer=5",
    "rewards.answer: must be one of after_think, after_think_optional, after_think_required, gsm8k_hash_last, numeric_end, numeric_begin, numeric_exact, numeric_any, final_int, boxed_last, answer_word, answer_word_last, answer_letter, xml_answer_last, math_last, whole"
  ],
  ["prompt.template=x", "prompt.template: must contain {question}"],
  ["policy.tokenizer.tokens[2]=", "policy.tokenizer.tokens[2]: must be a text, not nothing"],
  ["trian={}", "trian: unknown key; did you mean `train`?"],
  ["extend=x", "extend: unknown key; did you mean `extends`?"],
  ["rewards.judge={endpoint: 'ftp://x', model: m}", "rewards.judge.endpoint: must begin with http:// or https://"],
  ["rewards.judge={endpoint: 'http://h/v1?api_key=sk-123', model: m}", `rewards.judge.endpoint: ${QUERY}`],
  ["rewards.judge={endpoint: 'http://h/#sk-123', model: m}", `rewards.judge.endpoint: ${QUERY}`],
  [
    "rewards.judge={endpoint: 'http://h', model: m, replicas: ['http://h?k=sk-123']}",
    `rewards.judge.replicas[0]: ${QUERY}`
  ],
  [
    "rewards.judge={endpoint: 'http://h', model: m, panel: [{endpoint: 'http://h?k=sk-123', model: n}]}",
    `rewards.judge.panel[0].endpoint: ${QUERY}`
  ],
  ["trainer={kind: service, url: 'http://h?k=sk-123', token: {env: T}}", `trainer.url: ${QUERY}`],
  ["track=[{kind: mlflow, url: 'http://h?k=sk-123'}]", `track[0].url: ${QUERY}`],
  ["track=[{kind: trackio, url: 'http://h?k=sk-123'}]", `track[0].url: ${QUERY}`],
  ["track=[{kind: otlp, url: 'http://h?k=sk-123'}]", `track[0].url: ${QUERY}`],
  [
    "track=[{kind: otlp, url: 'http://u@h'}]",
    "track[0].url: must hold a host, and no user name, password or white space"
  ],
  [
    "generator={kind: vllm, urls: ['http://h/?k=sk-123'], model: m}",
    "generator.urls[0]: must be http:// or https://, a host and perhaps a port, and nothing else"
  ]
]

describe("one problem, one line", () => {
  it.each(cases)("%s", (override, line) => assert.deepStrictEqual(overridden(override), [line]))
})

describe("a text with many problems", () => {
  it("says all of them, in the order in which they stand", () => {
    const text = good
      .replace("name: sorting", "name: sorting\nname: again")
      .replace("kind: sorting", "kind: sortng")
      .replace("heads: 4", "heads: 4.5")
      .replace("warmup:", "wramup:")
      .replace("samples_per_prompt", "sample_per_prompt")
    assert.deepStrictEqual(linesOf(text), [
      "m.yaml:3:1 name: duplicate key; the first is on line 2",
      "m.yaml:4:19 questions.kind: must be one of sorting, arithmetic, files; did you mean `sorting`?",
      "m.yaml:10:78 policy.architecture.heads: must be a whole number",
      "m.yaml:16:1 wramup: unknown key; did you mean `warmup`?",
      "m.yaml:17:1 train.samples_per_prompt: is required, but missing",
      "m.yaml:20:3 train.sample_per_prompt: unknown key; did you mean `samples_per_prompt`?"
    ])
  })
  it("says what an empty text lacks", () => {
    assert.deepStrictEqual(linesOf(""), ["m.yaml:1:1 manifest: must be a map, not nothing"])
    assert.include(linesOf("{}"), "m.yaml:1:1 train: is required, but missing")
  })
})

describe("secrets", () => {
  const judge = (key: string) =>
    `${good}rewards:\n  accuracy: judge\n  judge: {endpoint: "http://h", model: m, api_key: ${key}}\n`
  it("are named, never written, and what was written is never shown", () => {
    assert.deepStrictEqual(linesOf(judge("sk-123")), [
      "m.yaml:23:52 rewards.judge.api_key: a secret is named, never written: use { env: NAME }"
    ])
    assert.deepStrictEqual(linesOf(judge("{env: sk-123}")), [
      "m.yaml:23:58 rewards.judge.api_key.env: must be the name of an environment variable"
    ])
    assert.deepStrictEqual(linesOf(judge("{env: JUDGE_KEY}")), [])
  })
  it("stay out of the names of overrides", () => {
    for (const text of [
      "rewards.judge.api_key=sk-123",
      "rewards.judge={endpoint: 'http://h', model: m, api_key: sk-123}",
      "trainer.token=sk-123",
      "trainer={kind: service, url: 'http://u:sk-123@h', token: {env: T}}",
      "rewards.judge={endpoint: 'http://h/v1?api_key=sk-123', model: m}",
      "track=[{kind: otlp, url: 'http://h?k=sk-123'}]"
    ]) {
      const lines = linesOf(good, text)
      assert.isAbove(lines.length, 0)
      assert.notInclude(lines.join(), "sk-123")
    }
  })
  it("and environment references are not expanded, only refused, also beside texts that may hold them", () => {
    assert.deepStrictEqual(linesOf(good.replace("name: sorting", "name: ${HOME}")).slice(-1), [
      "m.yaml:2:7 name: ${…} is not expanded; write the value, or { env: NAME } for a secret"
    ])
    assert.deepStrictEqual(linesOf(`${good}description: "costs \${5}"\n`), [])
  })
})
