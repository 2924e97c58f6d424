/** What the values of a manifest mean together: rules that no single key can state. */
import type { Manifest } from "@gradus/domain/manifest/Manifest"
import { curriculumRules } from "./CurriculumChecks.ts"
import { issueAt } from "./internal/IssueAt.ts"
import { type Rule, when } from "./internal/Rule.ts"
import type { ManifestIssue } from "./ManifestInvalid.ts"
import { rewardRules } from "./RewardChecks.ts"
import { nearest } from "./Suggest.ts"
import { locate, type Path, type Tree } from "./Tree.ts"

/** User names and passwords in an address are secrets that are written. */
const addresses: Rule = ({ rewards, trainer }) => {
  const message = "must not hold a user name or password"
  const inline = (url: string): boolean => /^https?:\/\/[^/?#]*@/.test(url)
  const at = (...rest: Path): Path => ["rewards", "judge", ...rest]
  return [
    ...when(rewards.judge !== undefined && inline(rewards.judge.endpoint), at("endpoint"), message),
    ...(rewards.judge?.replicas ?? []).flatMap((url, i) => when(inline(url), at("replicas", i), message)),
    ...(rewards.judge?.panel ?? []).flatMap(({ endpoint }, i) =>
      when(inline(endpoint), at("panel", i, "endpoint"), message)
    ),
    ...when(trainer.kind === "service" && inline(trainer.url), ["trainer", "url"], message)
  ]
}

/** Copies of a policy have equally many workers each. */
const workers: Rule = ({ trainer }) =>
  trainer.kind === "torchrun"
    ? when(
        trainer.processes % trainer.replicas !== 0,
        ["trainer", "processes"],
        `must be a multiple of replicas, ${trainer.replicas}`
      )
    : []

const publishing: Rule = ({ generator }) => {
  if (generator?.kind !== "vllm") return []
  const { directory, transport, urls } = generator
  const loopback = (url: string): boolean => ["127.0.0.1", "[::1]", "localhost"].includes(new URL(url).hostname)
  return [
    ...when(
      transport === "directory" && directory === undefined,
      ["generator", "directory"],
      "is required by transport: directory"
    ),
    ...urls.flatMap((url, i) =>
      when(transport === "ipc" && !loopback(url), ["generator", "urls", i], "must be on loopback with transport: ipc")
    ),
    ...when(new Set(urls).size !== urls.length, ["generator", "urls"], "must not name a server twice")
  ]
}

/** The hard set is harder than, and never equal to, anything that warm-up or RL sees. */
const unseen: Rule = ({ questions }) => {
  if (questions.kind === "sorting") {
    const { letters, hard_letters } = questions
    return [
      ...when(
        letters.min > letters.max,
        ["questions", "letters", "min"],
        `must be at most letters.max, ${letters.max}`
      ),
      ...hard_letters.flatMap((length, i) =>
        when(
          length <= letters.max,
          ["questions", "hard_letters", i],
          `must be greater than letters.max, ${letters.max}`
        )
      )
    ]
  }
  if (questions.kind !== "arithmetic") return []
  const seen = new Set<string>(questions.levels)
  return questions.hard_levels.flatMap((level, i) =>
    when(seen.has(level), ["questions", "hard_levels", i], "must not be one of levels")
  )
}

const workedExamples: Rule = ({ questions, warmup }) => {
  if (warmup === undefined || questions.kind !== "files") return []
  if (questions.warmup === undefined)
    return [{ path: ["questions", "warmup"], message: "is required by warmup: worked examples to imitate" }]
  const lacks = questions.warmup.columns.completion === undefined
  return when(lacks, ["questions", "warmup", "columns", "completion"], "is required by warmup: the text to imitate")
}

const steps: Rule = ({ train, filter }) => [
  ...when(
    train.updates_per_step > train.prompts_per_step,
    ["train", "updates_per_step"],
    `must be at most prompts_per_step, ${train.prompts_per_step}`
  ),
  ...when(
    train.group_floor > train.samples_per_prompt,
    ["train", "group_floor"],
    `must be at most samples_per_prompt, ${train.samples_per_prompt}`
  ),
  ...when(
    filter.floor !== undefined && filter.floor >= filter.drop_at,
    ["filter", "floor"],
    `must be less than drop_at, ${filter.drop_at}`
  )
]

/** A band that admits nothing, and a plateau of readings that nobody takes. */
const refilling: Rule = ({ evaluate, gate, refresh }) => [
  ...when(
    gate !== undefined && (gate.inclusive ? gate.low > gate.high : gate.low >= gate.high),
    ["gate", "low"],
    `must be less than high, ${gate?.high}`
  ),
  ...when(
    refresh?.rule === "plateau" && evaluate.every === 0,
    ["refresh", "rule"],
    "plateau reads the first evaluation set: it requires evaluate.every"
  )
]

const architecture: Rule = ({ policy, sampling, evaluate }) => {
  if (policy.kind !== "init") return []
  const { heads, kv_heads, head_dim, max_positions } = policy.architecture
  const at = (key: string): Path => ["policy", "architecture", key]
  const longest = Math.max(sampling.max_tokens, evaluate.sampling?.max_tokens ?? 0)
  return [
    ...when(max_positions < longest, at("max_positions"), `must be at least sampling.max_tokens, ${longest}`),
    ...when(heads % kv_heads !== 0, at("heads"), `must be a multiple of kv_heads, ${kv_heads}`),
    ...when(head_dim % 2 !== 0, at("head_dim"), "must be even: positions rotate pairs")
  ]
}

const vocabulary: Rule = ({ policy }) => {
  if (policy.kind !== "init") return []
  const { pad, end, tokens, characters } = policy.tokenizer
  const at = (...rest: Path): Path => ["policy", "tokenizer", ...rest]
  const seen = new Set([pad])
  const repeated = (token: string): boolean => seen.has(token) || !seen.add(token)
  const breaches = [...when(repeated(end), at("end"), "must differ from pad")]
  tokens.forEach((token, i) => breaches.push(...when(repeated(token), at("tokens", i), "is in the vocabulary already")))
  const twice = [...characters].find(repeated)
  return [...breaches, ...when(twice !== undefined, at("characters"), `holds ${JSON.stringify(twice)} a second time`)]
}

/** The marker that a word in braces is, or seems to be meant for. */
const marker = (name: string): string | undefined => nearest(name, ["mode", "question"])

/** `{quesiton}` would be sent to the model as it stands. */
const markers: Rule = ({ prompt, questions, rewards }) => {
  const path = ["prompt", "template"]
  const names = [...prompt.template.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!)
  const misspelt = names.flatMap((name) => {
    const meant = marker(name)
    return meant === undefined || meant === name ? [] : [{ path, message: "unknown marker", suggestion: `{${meant}}` }]
  })
  const bothModes = questions.kind !== "files" && questions.off_share > 0 && questions.off_share < 1
  const untold = bothModes && rewards.format !== "none" && !names.includes("mode") && misspelt.length === 0
  return [...misspelt, ...when(untold, path, "must contain {mode}: off_share asks for both modes")]
}

/** A tokenizer made of characters has no token for any other: the trainer would refuse the prompt after the warm-up. */
const encodable: Rule = ({ policy, prompt }) => {
  if (policy.kind !== "init") return []
  const { pad, end, tokens, characters } = policy.tokenizer
  const markersByLength = [pad, end, ...tokens].filter((token) => token !== "").toSorted((a, b) => b.length - a.length)
  const known = new Set(characters)
  const unknownIn = (text: string): string | undefined =>
    [...markersByLength.reduce((rest, token) => rest.replaceAll(token, ""), text)].find((one) => !known.has(one))
  const texts: ReadonlyArray<readonly [Path, string]> = [
    [
      ["prompt", "template"],
      prompt.template.replaceAll(/\{(\w+)\}/g, (text, name: string) => (marker(name) ? "" : text))
    ],
    [["prompt", "mode", "on"], prompt.mode.on],
    [["prompt", "mode", "off"], prompt.mode.off]
  ]
  return texts.flatMap(([path, text]) => {
    const unknown = unknownIn(text)
    return when(
      unknown !== undefined,
      path,
      `holds ${JSON.stringify(unknown)}, for which policy.tokenizer has no token`
    )
  })
}

const rules: ReadonlyArray<Rule> = [
  ...rewardRules,
  addresses,
  workers,
  publishing,
  unseen,
  workedExamples,
  steps,
  refilling,
  ...curriculumRules,
  architecture,
  vocabulary,
  markers,
  encodable
]

/** Finds every rule that a decoded manifest breaks, at the place where the value, or its nearest written parent, stands. */
export const check = (manifest: Manifest, tree: Tree): ReadonlyArray<ManifestIssue> =>
  rules
    .flatMap((rule) => rule(manifest))
    .map(({ path, message, suggestion }) => issueAt(locate(tree, path), path, message, suggestion))
