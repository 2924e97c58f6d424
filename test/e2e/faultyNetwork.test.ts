/** A whole run over a network that loses, doubles, cuts and garbles: it ends with the digests of a run over a good one. */
import * as Seed from "@gradus/domain/Seed"
import { mix, waysOf } from "@gradus/testing/FaultMix"
import { start as startProxy } from "@gradus/testing/FaultProxy"
import { assert, it } from "@effect/vitest"
import { join } from "node:path"
import { directory, gradus, lastLine, root, start } from "../gradus.ts"

const manifest = join(root, "test/e2e/tiny.yaml")
const small = ["-s", "warmup.steps=60", "-s", "train.steps=6", "-s", "train.updates_per_step=2"]
const TRY_AGAIN = 75

/** Starts a trainer for a test and runs against it through a proxy. */
const runThrough = async (share: number) => {
  const trainer = start(["serve", "trainer", manifest, "--runs", directory()])
  await trainer.said('"pid"')
  const address: { readonly url: string; readonly token: string } = trainer.line()
  process.env["GRADUS_E2E_TOKEN"] = address.token
  const network = mix(waysOf({ late: 3000, slow: 100 }), share, Seed.root(6))
  const proxy = await startProxy({ upstream: address.url, fault: network.fault })
  const spec = { kind: "service", url: proxy.url, token: { env: "GRADUS_E2E_TOKEN" }, chunk_prompts: 16, deadline: 6 }
  const settings = ["-s", `trainer=${JSON.stringify(spec)}`, "-s", 'generation={"deadline":2,"attempts":6}']
  const runs = directory()
  for (let attempt = 1; ; attempt++) {
    const ended = await gradus("run", manifest, ...small, ...settings, "--runs", runs, "--no-report", "--json")
    // a call that hung to its deadline: the same command again, as the message says
    if (ended.code === TRY_AGAIN && attempt < 20) continue
    const summary = lastLine(ended)
    await proxy.stop()
    trainer.child.kill("SIGTERM")
    return { digest: summary.digest, eval: summary.eval, attempts: attempt, faults: network.chosen() }
  }
}

it("a run through the fault proxy has the plan, the metrics and the weights of a run that met no fault", async () => {
  const clean = await runThrough(0)
  const faulted = await runThrough(0.35)
  const faults = Object.values(faulted.faults).reduce((sum, count) => sum + count, 0)
  assert.isAbove(faults, 15)
  assert.isAbove(Object.keys(faulted.faults).length, 8)
  assert.deepStrictEqual(faulted.digest, clean.digest)
  assert.deepStrictEqual(faulted.eval, clean.eval)
})
