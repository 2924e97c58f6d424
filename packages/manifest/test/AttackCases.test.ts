/** The collected hostile manifests: accepted only where they are harmless, and never slow, polluting or leaking. */
import { cpuMillis } from "@gradus/testing/CpuMillis"
import { assert, describe, it } from "@effect/vitest"
import { existsSync, readFileSync } from "node:fs"
import * as Schema from "effect/Schema"
import { issuesOf, linesOf } from "./GoodManifest.ts"

const Case = Schema.fromJsonString(Schema.Struct({ id: Schema.String, name: Schema.String, body: Schema.String }))

/** What each must say first, at its place. Those marked `read` are sound YAML that only lacks the rest of a manifest. */
const expected: Record<string, string> = {
  deep_flow_5000: "m.yaml:1:65 manifest: is nested deeper than 64",
  deep_map_3000: "m.yaml:1:257 manifest: is nested deeper than 64",
  proto_key: "m.yaml:1:1 __proto__: unknown key",
  dup_keys: "m.yaml:2:1 seed: duplicate key",
  huge_int: "m.yaml:1:7 seed: is out of range",
  binary_tag: "m.yaml:1:4 manifest: tags are not allowed",
  python_tag: "m.yaml:1:4 manifest: tags are not allowed",
  multi_doc: "m.yaml:2:1 manifest: must be a single YAML document",
  bom: "read",
  crlf: "read",
  null_bytes: "m.yaml:1:7 name: contains a NUL character",
  very_long_line: "m.yaml:1:7 name: must be 1 to 64 letters",
  typo_key: "m.yaml:1:1 treshold: unknown key",
  env_expansion: "m.yaml:1:10 api_key: ${…} is not expanded"
}

const inline: Record<string, string> = {
  deep_flow_5000: "[".repeat(5000),
  deep_map_3000: `${"{a: ".repeat(3000)}1${"}".repeat(3000)}`,
  proto_key: "__proto__: {polluted: true}\n",
  dup_keys: "seed: 1\nseed: 2\n",
  huge_int: "seed: 123456789012345678901234567890\n",
  binary_tag: 'x: !!binary "AAAA"\n',
  python_tag: 'x: !!python/object/apply:os.system ["true"]\n',
  multi_doc: "a: 1\n---\na: 2\n",
  bom: "\ufeffseed: 1\n",
  crlf: "seed: 1\r\nname: x\r\n",
  null_bytes: 'name: "a\\0b"\n',
  very_long_line: `name: "${"a".repeat(1_000_000)}"\n`,
  typo_key: "treshold: 0.75\n",
  env_expansion: "api_key: ${HOME}\n"
}

const withstands = (name: string, body: string): void => {
  const start = cpuMillis()
  const lines = linesOf(body)
  const ms = cpuMillis() - start
  const first = expected[name]
  assert.isDefined(first, `no expectation for ${name}`)
  if (first === "read") assert.isTrue(lines.every((line) => /^m\.yaml:1:1 \w+: is required, but missing$/.test(line)))
  else
    assert.isTrue(
      lines.some((line) => line.startsWith(first!)),
      `${lines.join("\n")}\nlacks ${first}`
    )
  assert.isBelow(ms, 1000)
  assert.isTrue(issuesOf(body).every((issue) => issue.line >= 1 && issue.col >= 1))
  assert.notInclude(lines.join("\n"), "HOME")
  assert.isUndefined(({} as Record<string, unknown>)["polluted"])
}

describe("hostile manifests", () => {
  it.each(Object.entries(inline))("%s (inline)", withstands)

  const file = new URL("../../../../shared/data/attacks/yaml_manifest_cases.jsonl", import.meta.url)
  const there = existsSync(file)
  if (!there) console.info(`${file.pathname} is not here: the inline cases stand for it`)
  it(
    there ? "all 14 of shared/data/attacks" : "shared/data/attacks is not here: the 14 inline cases stand for it",
    () => {
      const rows = there
        ? readFileSync(file, "utf8")
            .trim()
            .split("\n")
            .map((row) => Schema.decodeSync(Case)(row))
        : []
      for (const { name, body } of rows) withstands(name, body)
      assert.strictEqual(there ? rows.length : Object.keys(inline).length, 14)
    }
  )
})
