// Writes what is derived: Python's copy of the wire constants and the manifest's JSON Schema from packages/domain, the table of docs/scale.md.
// `--check` writes nothing and fails when a file is stale.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { dirname } from "node:path"
import { measuredTable, scaleTable } from "../apps/cli/src/launch/Scale.ts"
import * as Wire from "../packages/domain/src/TrainerWire.ts"
import { jsonSchema } from "../packages/manifest/src/JsonSchema.ts"

const toPython = (value) =>
  JSON.stringify(value, null, 4)
    .replace(/\btrue\b/g, "True")
    .replace(/\bfalse\b/g, "False")

const constantName = (name) => name.replace(/([a-z])([A-Z])/g, "$1_$2").toUpperCase()

/** A page with what stands between two markers made anew. */
const region = (page, begin, text) => {
  const start = page.indexOf("\n", page.indexOf(begin)) + 1
  return `${page.slice(0, start)}${text}\n${page.slice(page.indexOf("<!-- end -->", start))}`
}

const read = (path) => readFileSync(path, "utf8")
const measured = JSON.parse(read("docs/benchmarks/2026-11-25-2-nvidia-h100-80gb-hbm3.json")).results
const scale = region(read("docs/scale.md"), "<!-- scale:", scaleTable())

const files = {
  "docs/scale.md": region(scale, "<!-- measured:", measuredTable(measured)),
  "docs/manifest.schema.json": `${JSON.stringify(jsonSchema(), null, 2)}\n`,
  "apps/trainer/src/gradus_trainer/generated/wire.py":
    `"""Constants of the trainer protocol. Written by \`npm run generate\` from packages/domain/src/TrainerWire.ts: do not edit."""\n\n` +
    Object.entries(Wire)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, value]) => `${constantName(name)} = ${toPython(value)}\n`)
      .join("")
}

const check = process.argv.includes("--check")
const stale = []
for (const [path, text] of Object.entries(files)) {
  let current
  try {
    current = readFileSync(path, "utf8")
  } catch {
    current = undefined
  }
  if (current === text) continue
  stale.push(path)
  if (!check) {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
  }
}
if (check && stale.length > 0) {
  console.error(`stale, run \`npm run generate\`: ${stale.join(", ")}`)
  process.exit(1)
}
console.log(stale.length === 0 ? "generated files are current" : `written: ${stale.join(", ")}`)
