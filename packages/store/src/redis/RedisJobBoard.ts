/** Where each job stands, in Redis. A record is written under a fencing number, and the server compares it in the same step. */
import { JobRecord } from "@gradus/domain/Job"
import { JobBoard, JobRecordStale } from "@gradus/domain/WorkQueue"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { checked, Generation } from "./Generation.ts"
import { KEYS } from "./Keys.ts"

// KEYS[2] records, KEYS[3] their fencing numbers; ARGV[3] name, ARGV[4] fencing number, ARGV[5] record. Whom an equal number lets pass: JobBoard
const PUT = checked(`
local fence = tonumber(redis.call('HGET', KEYS[3], ARGV[3]) or '0')
if fence > tonumber(ARGV[4]) then return answer('stale') end
local before = redis.call('HGET', KEYS[2], ARGV[3])
if before and fence == tonumber(ARGV[4]) then
  local was, now = cjson.decode(before), cjson.decode(ARGV[5])
  local free = was.state == 'queued' or (was.state ~= 'running' and now.worker == nil)
  if was.worker ~= nil and was.worker ~= now.worker and not free then return answer('stale') end
end
raise()
redis.call('HSET', KEYS[3], ARGV[3], ARGV[4])
redis.call('HSET', KEYS[2], ARGV[3], ARGV[5])
return answer('written')
`)

// a record that is not there is an empty text
const GET = checked(`return answer('found', redis.call('HGET', KEYS[2], ARGV[3]) or '')`)
// one text with all of them: Lua returns no more than some thousand values
const ALL = checked(`return answer('found', cjson.encode(redis.call('HVALS', KEYS[2])))`)

const decode = Schema.decodeUnknownEffect(Schema.fromJsonString(JobRecord))
/** Redis writes an empty list as an empty object. */
const Records = Schema.fromJsonString(Schema.Union([Schema.Array(Schema.fromJsonString(JobRecord)), Schema.Struct({})]))
const decodeAll = Schema.decodeUnknownEffect(Records)

const make = Effect.gen(function* () {
  const generation = yield* Generation
  const read = (text: string) => Effect.orDie(decode(text))
  return JobBoard.of({
    put: Effect.fn("RedisJobBoard.put")(function* (record) {
      const { fence, name } = record
      const args = [name, String(fence), JSON.stringify(record)]
      const said = yield* generation.script("writing a job's record", PUT, [KEYS.jobs, KEYS.jobFences], args)
      if (said.outcome === "stale") return yield* new JobRecordStale({ name, fence })
    }),
    get: Effect.fn("RedisJobBoard.get")(function* (name) {
      const { values } = yield* generation.script("reading a job's record", GET, [KEYS.jobs], [name])
      return values[0] === undefined || values[0] === "" ? undefined : yield* read(values[0])
    }),
    all: Effect.gen(function* () {
      const { values } = yield* generation.script("reading the jobs' records", ALL, [KEYS.jobs], [])
      const records = yield* Effect.orDie(decodeAll(values[0]))
      return Array.isArray(records) ? records.toSorted((a, b) => (a.name < b.name ? -1 : 1)) : []
    })
  })
})

export const layer: Layer.Layer<JobBoard, never, Generation> = Layer.effect(JobBoard, make)
