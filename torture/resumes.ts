/**
 * `node torture/resumes.ts --count 10000`: random pools, curricula, batch sizes, step limits and unscored groups, cut at random places and resumed from the
 * journal. The questions of the pieces, joined, must be those of the run that was not cut, and none may come twice that came once there. Pure: no files.
 */
import { JournalEvent } from "@gradus/domain/Journal"
import { Manifest } from "@gradus/domain/manifest/Manifest"
import * as Seed from "@gradus/domain/Seed"
import * as Course from "@gradus/experiment/Course"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { options } from "./options.ts"
import { report } from "./result.ts"

const BATCHERS = [
  "gaussian",
  "uniform",
  "sorted",
  "reversed",
  "balanced",
  "e2h_gaussian",
  "adarft",
  "learnability",
  "pools",
  "bandit"
] as const

const decodeManifest = Schema.decodeUnknownSync(Manifest)
const decodeEvent = Schema.decodeUnknownSync(Schema.fromJsonString(JournalEvent))

/** A case by its number: what a manifest and a profile might be. */
const caseOf = (seed: Seed.Seed) => {
  const stream = Seed.stream(seed)
  const size = 1 + stream.below(40)
  const batcher = BATCHERS[stream.below(BATCHERS.length)] ?? "gaussian"
  const steps = stream.next() < 0.5 || batcher !== "gaussian" ? 1 + stream.below(12) : undefined
  const manifest = decodeManifest({
    version: 1,
    name: "resumes",
    questions: { kind: "sorting", train: size, heldout: 1, hard: 1 },
    prompt: { template: "{question}", mode: { on: "+", off: "-" } },
    policy: { kind: "huggingface", path: "policy" },
    sampling: { max_tokens: 8 },
    rewards: { accuracy: "exact" },
    curriculum: { batcher, last_batch: stream.next() < 0.5 ? "partial" : "drop" },
    train: {
      prompts_per_step: 1 + stream.below(Math.min(size, 9)),
      samples_per_prompt: 4,
      learning_rate: { peak: 1e-3 },
      ...(steps === undefined ? {} : { steps })
    }
  })
  const pool = Array.from({ length: size }, (_, i) => ({ question_id: `q${i}`, passed: stream.below(6), scored: 8 }))
  return { manifest, pool, unscored: stream.next() < 0.5 ? 0.2 : 0, cuts: 0.1 + 0.5 * stream.next(), stream, seed }
}
type Case = ReturnType<typeof caseOf>

/** What comes of a question in a step depends on nothing else, as the seed tree has it. */
const outcomeOf = ({ seed, unscored }: Case, step: number, question_id: string) => {
  const stream = Seed.stream(Seed.child(seed, "outcome", step, question_id))
  const scored = stream.next() < unscored ? 0 : 4
  return { question_id, scored, passed: scored === 0 ? 0 : stream.below(5), advantage: stream.next() }
}

interface Place {
  readonly events: ReadonlyArray<JournalEvent>
  /** The last step whose `step_finished` is in the journal. */
  readonly finished: number
}

/** Goes on from a journal until the end or a cut. A cut comes before a step is generated, or between its generation and its end. */
const goOn = (
  one: Case,
  begun: Course.Course,
  from: Place,
  cut: () => boolean
): Place & { readonly ended: boolean } => {
  // what the process before had in its memory is gone: the journal is read back as text
  const events = from.events.map((event) => decodeEvent(JSON.stringify(event)))
  let course = Result.getOrThrow(Course.follow(begun, events, from.finished))
  for (let step = from.finished + 1; ; step++) {
    const drawn = Course.draw(course, step)
    if (drawn === undefined) return { events, finished: step - 1, ended: true }
    if (cut()) return { events, finished: step - 1, ended: false }
    const [batch, after] = drawn
    const stored = events.find((event) => event._tag === "step_generated" && event.step === step)
    const outcomes =
      stored?._tag === "step_generated"
        ? (stored.outcomes ?? [])
        : batch.questions.map((id) => outcomeOf(one, step, id))
    if (stored === undefined) events.push({ _tag: "step_generated", step, updates: [], batch, outcomes, metrics: {} })
    if (cut()) return { events, finished: step - 1, ended: false }
    course = Course.observe(after, outcomes)
  }
}

const asked = ({ events }: Place): string =>
  JSON.stringify(
    events.map((event) => (event._tag === "step_generated" ? [event.step, event.batch?.questions] : event._tag))
  )

/** Tries `count` cases. */
export const resumes = (count: number, seedNumber: number) => {
  const started = performance.now()
  const wrong: Array<number> = []
  let [pieces, steps] = [0, 0]
  for (let number = 0; number < count; number++) {
    const one = caseOf(Seed.child(Seed.root(seedNumber), "case", number))
    const begun = Course.begin(one.manifest, one.pool, Seed.child(one.seed, "plan"))
    const whole = goOn(one, begun, { events: [], finished: 0 }, () => false)
    let place: Place & { readonly ended: boolean } = { events: [], finished: 0, ended: false }
    for (let attempt = 0; !place.ended; attempt++) {
      // a run that is cut for ever never ends: after some attempts it is left alone
      place = goOn(one, begun, place, () => attempt < 12 && one.stream.next() < one.cuts)
      pieces++
    }
    steps += whole.finished
    if (asked(place) !== asked(whole) || place.finished !== whole.finished) wrong.push(number)
  }
  const seconds = (performance.now() - started) / 1000
  return {
    seconds,
    held: wrong.length === 0,
    counts: { cases: count, "attempts in all": pieces, "steps in all": steps, "in another order": wrong.length },
    details: { wrong: wrong.slice(0, 20) }
  }
}

if (import.meta.main) {
  const given = options({ count: 10_000 })
  const { user: before } = process.cpuUsage()
  const made = resumes(given.count, given.seed)
  // 10,000 in a minute; on a machine that others work on too the clock would measure them
  const cpuSeconds = (process.cpuUsage().user - before) / 1e6
  report({ part: "resumes", options: given, ...made, held: made.held && cpuSeconds <= (60 * given.count) / 10_000 })
}
