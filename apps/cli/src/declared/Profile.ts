/** `gradus profile`: its flags and help. What reads them is loaded when it is called. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { count, json, kinds, loaded, manifest, number, plain, redis, runs, set, text, yes } from "./Flags.ts"

/** Who is asked, and how. */
const servers = {
  endpoint: text("endpoint", "OpenAI-compatible server; may be repeated, each is kept busy").pipe(Flag.atLeast(0)),
  model: Flag.optional(text("model", "the model's name at the servers")),
  apiKeyEnv: Flag.optional(text("api-key-env", "environment variable with the servers' key")),
  api: Flag.optional(
    Flag.Literals("api", ["chat", "completions"]).pipe(
      Flag.withDescription("the route: the question as a user's message, or as the prompt (default chat)")
    )
  ),
  concurrency: Flag.optional(count("concurrency", "requests in flight at each server (default 64)")),
  choices: Flag.optional(count("choices", "samples that one request asks for at most (default: all of a question)")),
  deadline: Flag.optional(number("deadline", "seconds that one request may take (default 600)")),
  attempts: Flag.optional(
    count("attempts", "how often a sample is asked for at most, outages not counted (default 4)")
  ),
  patience: Flag.optional(number("patience", "seconds that all servers may be silent before it ends (default 60)"))
}

/** What is asked. */
const questions = {
  input: Flag.optional(text("input", "JSONL or Parquet with questions, in place of a manifest")),
  id: Flag.optional(text("id", "column with the ids (default id)")),
  rowIds: yes("row-ids", "the file has no ids: name questions by their rows"),
  question: Flag.optional(text("question", "column with the questions (default question)")),
  gold: Flag.optional(text("gold", "column with the true answers (default answer)")),
  goldRule: Flag.optional(
    Flag.Literals("gold-rule", ["whole", "gsm8k_hash_last"]).pipe(
      Flag.withDescription("what of that column is the truth (default whole)")
    )
  ),
  domain: Flag.optional(text("domain", "column that says what a question is about")),
  thinking: Flag.optional(
    Flag.Literals("thinking", ["on", "off"]).pipe(
      Flag.withDescription("whether a format rule expects a thought (default off)")
    )
  ),
  system: Flag.optional(text("system", "system message, or the text before each prompt")),
  sample: Flag.optional(count("sample", "only so many questions, drawn by --sample-seed")),
  sampleSeed: Flag.optional(count("sample-seed", "what a sample is drawn by (default 0)"))
}

/** How it is sampled and decided. */
const sampling = {
  samples: Flag.optional(count("samples", "samples a question (default 8)")),
  temperature: Flag.optional(number("temperature", "sampling temperature (default 1)")),
  maxTokens: Flag.optional(count("max-tokens", "tokens of a completion at most (default 4096)")),
  seed: Flag.optional(count("seed", "send a seed a sample, derived from this one (default: none is sent)")),
  passMark: Flag.optional(number("pass-mark", "a sample passes when its value is at least this (default 1)")),
  credibleLevel: Flag.optional(number("credible-level", "one-sided credible level of the bounds (default 0.9)")),
  dropAt: Flag.optional(number("drop-at", "drop questions with this pass rate or a higher one (default 0.75)")),
  floor: Flag.optional(number("floor", "drop questions below this pass rate")),
  decideEarly: Flag.optional(
    number("decide-early", "stop asking a question once it will be dropped with this certainty, e.g. 0.95")
  ),
  priceIn: Flag.optional(number("price-in", "money for a million prompt tokens")),
  priceOut: Flag.optional(number("price-out", "money for a million completion tokens"))
}

/** What becomes of it. */
const outcome = {
  output: Flag.optional(text("output", "directory of the profile; the same one goes on with it")),
  shards: Flag.optional(
    count("shards", "cut it into so many parts, which `gradus worker`s measure; this command gathers")
  ),
  redis,
  retryFailed: yes("retry-failed", "ask once more for samples that could not be had"),
  noShare: yes("no-share", "neither take nor leave the profile among the shared ones of --runs")
}

/** Which rules score, as `gradus score` has them; the form of a thought is no part of a pass rate unless it is asked for. */
const rules = {
  accuracy: Flag.optional(text("accuracy", "exact, numeric, math, choice, judge, none, … (default exact)")),
  answer: Flag.optional(text("answer", "which answer is taken from a completion (default after_think)")),
  format: Flag.optional(text("format", "thinking, none, … (default none)")),
  judgeUrl: Flag.optional(text("judge-url", "OpenAI-compatible endpoint of the judge")),
  judgeModel: Flag.optional(text("judge-model", "the judge's model")),
  judgeKeyEnv: Flag.optional(text("judge-key-env", "environment variable with the judge's key"))
}

const checked = {
  check: Flag.optional(text("check", "compare a column of pass rates that the file brings with this profile")),
  kind: Flag.optional(
    Flag.Literals("kind", kinds).pipe(
      Flag.withDescription("what the column of --check says: to be stated, never guessed")
    )
  ),
  n: Flag.optional(count("n", "samples a question of the column of --check"))
}

export const profile = Command.make(
  "profile",
  {
    manifest: Argument.optional(manifest),
    set,
    runs,
    ...servers,
    ...questions,
    ...sampling,
    ...rules,
    ...outcome,
    ...checked,
    json
  },
  (options) =>
    loaded(
      () => import("../commands/ProfileChoice.ts"),
      (command) => command.profileChoice(plain(options))
    )
).pipe(
  Command.withDescription(
    "Measure pass rates: of a manifest's questions, or of a file's at any OpenAI-compatible server"
  )
)
