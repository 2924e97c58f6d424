/** `gradus doctor`: is everything here that a run needs? Each finding says what to do. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Schema from "effect/Schema"
import * as ChildProcess from "effect/process/ChildProcess"
import * as ChildProcessSpawner from "effect/process/ChildProcessSpawner"
import { cpus, freemem } from "node:os"
import { Engines } from "../Engines.ts"
import { print, printJson } from "../Output.ts"

export interface Finding {
  readonly what: string
  readonly ok: boolean
  readonly found: string
  /** What to do, where it is not ok. */
  readonly advice?: string
}

/** Something that a run needs is missing. */
export class MachineNotReady extends Schema.TaggedError<MachineNotReady>()("MachineNotReady", {
  missing: Schema.Array(Schema.String)
}) {
  override get message(): string {
    return `not ready: ${this.missing.join(", ")}`
  }
}

const PROBE =
  "import json, sys, torch, gradus_trainer; " +
  "print(json.dumps({'python': sys.version.split()[0], 'torch': torch.__version__, 'cuda': torch.cuda.get_device_name(0) if torch.cuda.is_available() else None}))"

const Probe = Schema.fromJsonString(
  Schema.Struct({ python: Schema.String, torch: Schema.String, cuda: Schema.NullOr(Schema.String) })
)

const node: Finding = {
  what: "Node",
  ok: true,
  found: process.versions.node
}

const trainer = Effect.fnUntraced(function* (python: string) {
  const fs = yield* FileSystem.FileSystem
  const advice = "run `npm run setup`"
  if (!(yield* fs.exists(python).pipe(Effect.orElseSucceed(() => false))))
    return [{ what: "trainer's Python", ok: false, found: `nothing at ${python}`, advice }]
  const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
  const said = yield* spawner
    .string(ChildProcess.make(python, ["-c", PROBE], { stderr: "ignore" }))
    .pipe(Effect.timeout("60 seconds"), Effect.flatMap(Schema.decodeUnknownEffect(Probe)), Effect.option)
  if (said._tag === "None")
    return [{ what: "trainer's Python", ok: false, found: "torch or gradus_trainer cannot be imported", advice }]
  const { cuda, python: version, torch } = said.value
  return [
    { what: "trainer's Python", ok: true, found: version },
    { what: "torch", ok: true, found: torch },
    { what: "GPU", ok: true, found: cuda ?? "none (the trainer uses the CPU)" }
  ]
})

/** Looks at the machine; fails when something is missing that a run needs. */
export const doctor = Effect.fn("gradus.doctor")(function* (options: { readonly json: boolean }) {
  const { python } = yield* Engines
  const findings: ReadonlyArray<Finding> = [
    node,
    ...(yield* trainer(python)),
    { what: "processors", ok: true, found: String(cpus().length) },
    {
      what: "free memory",
      ok: freemem() > 1.5e9,
      found: `${(freemem() / 1e9).toFixed(1)} GB`,
      advice: "the quickstart needs 1.5 GB"
    }
  ]
  const missing = findings.filter((finding) => !finding.ok)
  if (options.json) yield* printJson({ ok: missing.length === 0, findings })
  else
    for (const { advice, found, ok, what } of findings)
      yield* print(`${ok ? "ok     " : "missing"}  ${what}: ${found}${ok || advice === undefined ? "" : `: ${advice}`}`)
  if (missing.length > 0) return yield* new MachineNotReady({ missing: missing.map((finding) => finding.what) })
})
