/** Told to draw no report: everything else is there, and it is said how to have one. That it can be had later is in run.test.ts. */
import { assert, it } from "@effect/vitest"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { simulatedManifest } from "@gradus/testing/SimulatedManifest"
import { directory, gradus, lastLine, root, startProgram } from "../gradus.ts"
import { write } from "../rows.ts"

const simulated = (...args: ReadonlyArray<string>) => startProgram(join(root, "torture/simulatedGradus.ts"), args).ended

it("--no-report leaves the report out of what run and worker do, and says how to have it", async () => {
  const runs = directory()
  const manifest = write("m.yaml", simulatedManifest())
  const plain = await simulated("run", manifest, "--runs", runs, "--no-report")
  assert.strictEqual(plain.code, 0, plain.stderr)
  const dir = /gradus report (\S+)`/.exec(plain.stdout)?.[1] ?? ""
  assert.include(plain.stdout, `no report: \`gradus report ${dir}\` draws it`)
  assert.isTrue(existsSync(join(dir, "metrics.ndjson")))
  assert.isFalse(existsSync(join(dir, "report.html")))

  const added = lastLine(await gradus("queue", "add", manifest, "-s", "seed=1", "--runs", runs, "--json"))
  const worked = await simulated("worker", "--runs", runs, "--no-report", "--leave-when-idle", "1")
  assert.strictEqual(worked.code, 0, worked.stderr)
  assert.isTrue(existsSync(join(added.dir, "metrics.ndjson")))
  assert.isFalse(existsSync(join(added.dir, "report.html")))
})
