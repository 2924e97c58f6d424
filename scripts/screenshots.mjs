// Pictures of every page of the viewer for docs/viewer.md: node scripts/screenshots.mjs. It makes what it shows, simulated runs and a sweep, in a
// temporary directory; the same command anywhere makes the same pages (times and, by the fonts, letters differ).
import { spawn } from "node:child_process"
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { launch } from "../test/browser/chromium.ts"
import { makeRun } from "../test/browser/madeRun.ts"
import { makeSweep } from "../test/browser/madeSweep.ts"

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const out = join(root, "docs/images/viewer")
/** All pictures together, bytes: they are kept in git. */
const MOST = 1_500_000

const manifest = `
version: 1
name: letters
description: a simulated policy that sorts letters
questions: {kind: sorting, train: 480, heldout: 80, hard: 40}
prompt: {template: "{mode}{question}", mode: {on: "+", off: "-"}}
policy: {kind: huggingface, path: policy}
sampling: {max_tokens: 64}
rewards: {accuracy: exact, format: thinking}
train: {steps: 24, prompts_per_step: 16, samples_per_prompt: 8, learning_rate: {peak: 0.001}, checkpoint_every: 24}
evaluate: {samples: 4, every: 4}
`
const sweep = `description: Which order of the questions teaches most in 24 steps?
seeds: [1, 2, 3, 4, 5]
axes:
  - list:
      gaussian: {curriculum: {batcher: gaussian, sigma: 0.12}}
      uniform: {curriculum: {batcher: uniform}}
      balanced: {curriculum: {batcher: balanced}}
baseline: uniform
metric: {set: heldout, target: 0.6}
`

const home = mkdtempSync(join(tmpdir(), "gradus-screenshots-"))
const runs = join(home, "runs")
process.on("exit", () => rmSync(home, { recursive: true, force: true }))
console.log("making a sweep of simulated runs")
const made = makeSweep(runs, "orders", sweep, manifest)
made.reopen("5/balanced")
const run = made.runOf("1/gaussian")
const judged = await makeRun(runs, 1, { steps: 3, prompts: 4, samples: 5, characters: true })

const server = spawn(process.execPath, [join(root, "apps/cli/bin/gradus.mjs"), "view", "--runs", runs, "--json"], {
  stdio: ["ignore", "pipe", "inherit"]
})
const url = await new Promise((resolve) => server.stdout.once("data", (line) => resolve(JSON.parse(line).url)))
const browser = await launch()

const hrefOf = async (hash, selector) => {
  const page = await browser.newPage()
  await page.goto(`${url}/${hash}`)
  const link = page.locator(selector).first()
  await link.waitFor()
  const href = await link.getAttribute("href")
  await page.close()
  return href
}
const curriculum = `#/run/${run}/curriculum?step=12`
const group = await hrefOf(curriculum, "ul.questions a")
const question = group.replace(/\/group\/\d+\//, "/question/").replace(/\?.*$/, "")

const WIDE = { width: 1280, height: 860 }
const NARROW = { width: 420, height: 860 }
const pages = [
  ["runs", "#/"],
  ["search", `#/search?text=${encodeURIComponent("rtu")}`],
  ["compare", `#/compare?runs=${run},${made.runOf("1/uniform")}`],
  ["sweeps", "#/sweeps", { height: 320 }],
  ["sweep", "#/sweep/orders"],
  ["sweep-charts", "#/sweep/orders", { at: "#charts" }],
  ["sweep-dark-narrow", "#/sweep/orders", { scheme: "dark", size: NARROW }],
  ["curves", `#/run/${run}`],
  ["curves-dark", `#/run/${run}`, { scheme: "dark" }],
  ["curriculum", curriculum],
  ["completions", `#/run/${run}/completions`],
  ["group", group, { height: 820 }],
  ["group-dark-narrow", group, { scheme: "dark", size: NARROW }],
  ["group-spelt", `#/run/${judged}/group/1/${encodeURIComponent("train/1-1")}`],
  ["question", question],
  ["judge", `#/run/${judged}/judge`],
  ["judge-differences-dark", `#/run/${judged}/judge`, { at: "#apart", height: 640, scheme: "dark" }],
  ["files", `#/run/${run}/files`]
]

rmSync(out, { recursive: true, force: true })
mkdirSync(out, { recursive: true })
for (const [name, hash, { at, height, scheme = "light", size = WIDE } = {}] of pages) {
  const page = await browser.newPage({ colorScheme: scheme, viewport: { ...size, height: height ?? size.height } })
  await page.goto(`${url}/${hash}`)
  await page.locator("main h1").waitFor()
  await page.getByText("reading…").waitFor({ state: "detached" })
  // what follows the first files: charts are drawn, rows are counted
  await page.waitForLoadState("networkidle")
  await page.waitForTimeout(1500)
  if (at !== undefined) await page.locator(at).evaluate((element) => element.scrollIntoView())
  await page.screenshot({ path: join(out, `${name}.png`) })
  await page.close()
  console.log(name)
}
await browser.close()
server.kill("SIGTERM")

const bytes = readdirSync(out).reduce((sum, name) => sum + statSync(join(out, name)).size, 0)
console.log(`${pages.length} pictures, ${bytes} bytes`)
if (bytes > MOST) {
  console.error(`together they are larger than ${MOST} bytes`)
  process.exit(1)
}
