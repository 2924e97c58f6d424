/** Documents against the repository: what they name exists, and what exists is named. */
import { assert, describe, it } from "@effect/vitest"
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs"
import { dirname, join } from "node:path"

const repository = dirname(import.meta.dirname)
const read = (path: string): string => readFileSync(join(repository, path), "utf8")
const there = (path: string): boolean => existsSync(join(repository, path))

/** Every committed document, by folder. */
const documents = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "apps/trainer/README.md"].concat(
  readdirSync(join(repository, "docs"), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".md"))
    .map((file) => `docs/${file}`)
)

/** What stands between single back quotes outside of code blocks. */
const quoted = (text: string): ReadonlyArray<string> =>
  [...text.replaceAll(/^```[^]*?^```/gm, "").matchAll(/`([^`\n]+)`/g)].map((match) => match[1] ?? "")

/** Quoted paths from the root, with the name that may follow a `#`. Patterns (`*`, `<…>`, `{…}`) are no paths. */
const pathsIn = (text: string): ReadonlyArray<{ readonly path: string; readonly name: string | undefined }> =>
  quoted(text)
    .map((word) => word.split(" ")[0] ?? "")
    .filter((word) => /^(?:packages|apps|docs|scripts|test|experiments|\.ci)(?:\/|$)/.test(word) && !/[*<{]/.test(word))
    .map((word) => ({ path: word.split("#")[0] ?? "", name: word.split("#")[1] }))

const rowsOf = (text: string): ReadonlyArray<ReadonlyArray<string>> =>
  text
    .split("\n")
    .filter((line) => line.startsWith("| ") && !/^\| (?:what|rule) \|/.test(line))
    .map((line) => line.split("|").slice(1, -1))

describe("documents", () => {
  it.each(documents)("%s names only files that exist", (document) => {
    const missing = pathsIn(read(document)).filter(({ path }) => !there(path))
    assert.deepStrictEqual(missing, [])
  })

  it.each(documents)("%s links only to what exists", (document) => {
    const links = [...read(document).matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)].map((match) => match[1] ?? "")
    const missing = links.filter((link) => !/^https?:/.test(link) && !there(join(dirname(document), link)))
    assert.deepStrictEqual(missing, [])
  })

  it("the architecture's code map has every package and every app", () => {
    const map = new Set(pathsIn(read("ARCHITECTURE.md")).map(({ path }) => path))
    const folders = ["packages", "apps"].flatMap((parent) =>
      readdirSync(join(repository, parent))
        .map((name) => `${parent}/${name}`)
        .filter((folder) => statSync(join(repository, folder)).isDirectory())
    )
    assert.deepStrictEqual(
      folders.filter((folder) => !map.has(folder)),
      []
    )
  })

  it("every page of docs/decisions is dated", () => {
    const undated = documents
      .filter((document) => document.startsWith("docs/decisions/"))
      .filter((document) => !/^# .+\n\n20\d\d-\d\d-\d\d\b/.test(read(document)))
    assert.deepStrictEqual(undated, [])
  })
})

describe("docs/algorithms.md", () => {
  const text = read("docs/algorithms.md")

  it("names functions that their files have", () => {
    const named = pathsIn(text).filter(({ name }) => name !== undefined)
    assert.isAbove(named.length, 40)
    const missing = named.filter(({ name, path }) => !new RegExp(`\\b(?:const|def|class) ${name}\\b`).test(read(path)))
    assert.deepStrictEqual(missing, [])
  })

  it("gives every formula a source, a file and a test", () => {
    const rows = rowsOf(text)
    assert.isAbove(rows.length, 40)
    for (const [what = "", formula = "", source = "", file = "", test = ""] of rows) {
      assert.notStrictEqual(formula.trim(), "", what)
      assert.notStrictEqual(source.trim(), "", what)
      assert.isTrue(
        pathsIn(file).some(({ name, path }) => name !== undefined && path.includes("/src/")),
        what
      )
      assert.isTrue(
        pathsIn(test).some(({ path }) => path.includes("/test")),
        what
      )
    }
  })
})
