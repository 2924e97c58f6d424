/** Refreshes of the curriculum: after a step that the manifest's rule names, what is left is profiled with the policy of that moment, and the course begins anew on it. */
import type { JournalEvent } from "@gradus/domain/Journal"
import { ProfileRow, type RatedQuestion } from "@gradus/domain/Profile"
import { EvaluationFile } from "@gradus/domain/RunRecord"
import * as Seed from "@gradus/domain/Seed"
import { filter } from "@gradus/curriculum/Filter"
import { changeBetween, decideRefresh, type Reading } from "@gradus/curriculum/Refresh"
import { decodeRows, encodeRows } from "@gradus/datasets/Parquet"
import * as Effect from "effect/Effect"
import { exists, readFile, readJson, writeFile } from "./AtomicFile.ts"
import type { RunContext } from "./Context.ts"
import * as Course from "./Course.ts"
import type { TrainedPolicy } from "./Policy.ts"
import { measure } from "./Profile.ts"
import { timed } from "./Records.ts"
import { leftAfter } from "./Served.ts"

const refreshedAt = (events: ReadonlyArray<JournalEvent>): ReadonlyArray<number> =>
  events.flatMap((event) => (event._tag === "course_refreshed" ? [event.step] : []))

/** Reads the profiles of the refreshes so far, by step. */
export const storedRefreshes = Effect.fn("Refreshes.stored")(function* (context: RunContext) {
  const profiles = new Map<number, ReadonlyArray<ProfileRow>>()
  for (const step of refreshedAt(context.journal.events()))
    profiles.set(step, yield* decodeRows(ProfileRow, yield* readFile(context.directory.refreshProfile(step))))
  return profiles
})

/** The readings of the first evaluation set that were taken during training. */
const readings = Effect.fn("Refreshes.readings")(function* (context: RunContext, upTo: number) {
  const [set] = Object.keys(context.sets.evaluation)
  const { every } = context.manifest.evaluate
  const taken: Array<Reading> = []
  if (set === undefined || every === 0) return taken
  for (let step = every; step <= upTo; step += every) {
    const file = context.directory.evaluation(set, step).reading
    if (yield* exists(file)) taken.push({ step, value: (yield* readJson(EvaluationFile, file)).reading.accuracy })
  }
  return taken
})

const asked = (context: RunContext, left: ReadonlyArray<RatedQuestion>) =>
  left.flatMap(({ question_id }) => context.questions.get(question_id) ?? [])

/** What a refresh found, by name. */
const metricsOf = (
  context: RunContext,
  left: ReadonlyArray<RatedQuestion>,
  rows: ReadonlyArray<ProfileRow>
): Readonly<Record<string, number | null>> => {
  const { after, before, beyond_regression, change, compared, expected_by_regression, measured_low } = changeBetween(
    left,
    rows
  )
  const kept = filter(rows, context.manifest.filter).kept.length
  return {
    "refresh/questions": left.length,
    "refresh/compared": compared,
    "refresh/kept": kept,
    "refresh/mean_before": before,
    "refresh/mean_after": after,
    "refresh/change": change,
    "refresh/low_change": measured_low,
    "refresh/low_change_by_regression": expected_by_regression,
    "refresh/low_change_beyond_regression": beyond_regression
  }
}

/** Profiles what is left and begins the course anew. */
const refresh = Effect.fn("Refreshes.refresh")(function* (
  context: RunContext,
  policy: TrainedPolicy,
  course: Course.Course,
  step: number,
  reason: string
) {
  const { directory, journal } = context
  const left = leftAfter(course.origin.manifest, course.origin.pool, journal.events())
  if (left.length === 0) return course
  const rows = yield* measure(context, policy, {
    stage: `refresh-${step}`,
    questions: asked(context, left),
    seed: Seed.child(context.seed, "refresh", step),
    chunkFile: (chunk) => directory.refreshChunk(step, chunk)
  })
  yield* writeFile(directory.refreshProfile(step), yield* encodeRows(ProfileRow, rows))
  yield* journal.commit({
    _tag: "course_refreshed",
    step,
    reason,
    rows: [{ format: 1, stage: "refresh", step, metrics: metricsOf(context, left, rows) }]
  })
  yield* context.records.metrics(journal.events())
  return Course.refreshed(course, left, rows, step)
})

/** Refreshes the course where the manifest's rule says so after the last finished step; a refresh that is in the journal is not made again. */
export const refreshIfDue = Effect.fn("Refreshes.ifDue")(function* (
  context: RunContext,
  policy: TrainedPolicy,
  course: Course.Course
) {
  const spec = context.manifest.refresh
  const events = context.journal.events()
  const step = events.findLast((event) => event._tag === "step_finished")?.step ?? 0
  const last = refreshedAt(events).at(-1) ?? 0
  const generated = events.findLast((event) => event._tag === "step_generated")?.step ?? 0
  if (spec === undefined || step === 0 || last === step || generated > step || step >= course.most) return course
  const { reason, refresh: due } = decideRefresh(spec, step, yield* readings(context, step), last)
  if (!due) return course
  const [next, seconds] = yield* timed(refresh(context, policy, course, step, reason))
  yield* context.records.timings("refresh", step, { stage: seconds })
  return next
})
