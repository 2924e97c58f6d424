/** One step of 1,152 judgements over two loopback judges that take 60 ms each: how long it takes, and how much of that time both were busy. */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { RewardsSpec } from "@gradus/domain/manifest/Rewards"
import { ChatServer } from "@gradus/testing/ChatServer"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { Judge } from "../src/service/Judge.ts"
import { Scorer } from "../src/service/Scorer.ts"

const JUDGEMENTS = 1_152
const CONCURRENCY = 32

/** Runs the step. `both`: share of the looks at which both had calls in hand, of those at which any had. */
export const twoJudges = Effect.scoped(
  Effect.gen(function* () {
    const server = Layer.fresh(ChatServer.layer([{ kind: "stall", ms: 60 }]))
    const a = Context.get(yield* Layer.build(server), ChatServer)
    const b = Context.get(yield* Layer.build(server), ChatServer)
    const judge = {
      endpoint: a.endpoint,
      model: "m",
      replicas: [b.endpoint],
      concurrency: CONCURRENCY,
      structured: "never" as const
    }
    const spec = yield* Schema.decodeEffect(RewardsSpec)({ accuracy: "judge", judge })
    if (spec.judge === undefined) return yield* Effect.die(new Error("a spec without its judge"))
    const layer = Scorer.layerJudge(spec).pipe(
      Layer.provide(Judge.layer(spec.judge)),
      Layer.provide(NodeHttpClient.layerUndici)
    )
    const { score } = Context.get(yield* Layer.build(layer), Scorer)
    const requests = Array.from({ length: JUDGEMENTS }, (_, i) => ({
      id: `${i}`,
      question: `question ${i % 72}`,
      gold: "4",
      completion: `<think>t</think>answer ${i}`,
      thinking: "on" as const
    }))
    const looks: Array<readonly [number, number]> = []
    const look = Effect.gen(function* () {
      looks.push([(yield* a.traffic).inFlight, (yield* b.traffic).inFlight])
      yield* Effect.sleep("5 millis")
    })
    const watching = yield* Effect.forkChild(Effect.forever(look))
    const [took, scores] = yield* Effect.timed(score(requests))
    yield* Fiber.interrupt(watching)
    const working = looks.filter(([x, y]) => x + y > 0)
    return {
      seconds: Duration.toSeconds(took),
      serial: (JUDGEMENTS * 0.06) / 2,
      scored: scores.filter(({ value }) => value === 1).length,
      requests: [(yield* a.traffic).requests, (yield* b.traffic).requests],
      peaks: [(yield* a.traffic).peak, (yield* b.traffic).peak],
      both: working.filter(([x, y]) => x > 0 && y > 0).length / working.length
    }
  })
)
