/** The lint rules that keep the world out of packages, shown to bite: each forbidden line is linted with the repository's own settings. */
import { assert, describe, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"

const repository = dirname(import.meta.dirname)

interface Message {
  readonly code: string
  readonly filename: string
  readonly labels: ReadonlyArray<{ readonly span: { readonly line: number } }>
}

/** Lints sources by path, as if they lay in the repository, and returns `path:line` of everything that is refused. */
const refused = (sources: Readonly<Record<string, ReadonlyArray<string>>>): ReadonlySet<string> => {
  const root = mkdtempSync(join(tmpdir(), "gradus-purity-"))
  try {
    copyFileSync(join(repository, ".oxlintrc.json"), join(root, ".oxlintrc.json"))
    for (const [path, lines] of Object.entries(sources)) {
      mkdirSync(dirname(join(root, path)), { recursive: true })
      writeFileSync(join(root, path), `${lines.join("\n")}\n`)
    }
    const { stdout } = spawnSync(join(repository, "node_modules/.bin/oxlint"), ["--format=json"], { cwd: root })
    const { diagnostics } = JSON.parse(stdout.toString()) as { readonly diagnostics: ReadonlyArray<Message> }
    return new Set(diagnostics.map((one) => `${one.filename}:${one.labels[0]?.span.line}`))
  } finally {
    rmSync(root, { recursive: true })
  }
}

const ambient = [
  "export const now = () => Date.now()",
  "export const today = () => new Date()",
  "export const tick = () => performance.now()",
  "export const chance = () => Math.random()",
  "export const id = () => crypto.randomUUID()",
  'export const home = () => process.env["HOME"]',
  'export const page = () => fetch("http://localhost")',
  'export const say = () => console.log("said")',
  "export const later = () => setTimeout(() => say(), 1)",
  "export const hidden = () => globalThis.process",
  'export const file = () => import("node:fs")',
  'export { join } from "node:path"',
  'export { readFileSync } from "fs"'
]

const services = [
  'export * as Clock from "effect/Clock"',
  'export * as Random from "effect/Random"',
  'export * as Config from "effect/Config"',
  'export * as FileSystem from "effect/FileSystem"',
  'export * as HttpClient from "effect/http/HttpClient"',
  'export { Clock as Time } from "effect"',
  'export * as Judge from "@gradus/rewards/service/Judge"'
]

const everyLine = (path: string, lines: ReadonlyArray<string>) => lines.map((_, index) => `${path}:${index + 1}`)

describe("lint", () => {
  it("refuses the platform in every package, and Effect's services in the pure folders too", () => {
    const pure = ["domain", "curriculum", "rewards", "analytics", "datasets", "manifest"].map(
      (name) => `packages/${name}/src/Broken.ts`
    )
    const effectful = ["experiment", "inference", "trainer-client"].map((name) => `packages/${name}/src/Broken.ts`)
    const found = refused(
      Object.fromEntries([
        ...pure.map((path) => [path, [...ambient, ...services]]),
        ...effectful.map((path) => [path, ambient])
      ])
    )
    const expected = [
      ...pure.flatMap((path) => everyLine(path, [...ambient, ...services])),
      ...effectful.flatMap((path) => everyLine(path, ambient))
    ]
    assert.deepStrictEqual(
      expected.filter((line) => !found.has(line)),
      []
    )
  })

  it("lets services use Effect's services, and tests use the platform", () => {
    const found = refused({
      "packages/rewards/src/service/Fine.ts": services,
      "packages/experiment/src/Fine.ts": services,
      "packages/rewards/test/Fine.ts": ambient,
      "packages/testing/src/Fine.ts": ambient.filter((line) => !line.includes("console"))
    })
    assert.deepStrictEqual([...found], [])
  })
})
