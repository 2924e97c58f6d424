/** A worker of a simulated sweep as a process of its own: it says a line for every generation, so that who watches can kill it at any of them. */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import { sweep } from "./simulated.ts"

const [file = "", runs = "", concurrency = "1"] = process.argv.slice(2)

const said = (stage: string, step: number) => Effect.sync(() => void process.stdout.write(`${stage} ${step}\n`))

NodeRuntime.runMain(
  sweep(file, runs, {
    concurrency: Number(concurrency),
    worker: String(process.pid),
    hook: (_, stage, step) => said(stage, step)
  }).pipe(
    Effect.flatMap(({ done }) => Effect.sync(() => void process.stdout.write(`done ${JSON.stringify(done)}\n`))),
    Effect.provide(Layer.merge(NodeServices.layer, Logger.layer([])))
  )
)
