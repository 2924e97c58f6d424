/** Files of rows for tests of commands. */
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { directory } from "./gradus.ts"

/** Writes a text into a directory of its own, which goes with the test. */
export const write = (name: string, text: string): string => {
  const file = join(directory(), name)
  writeFileSync(file, text)
  return file
}

export const rowsFile = (rows: ReadonlyArray<object>): string =>
  write("rows.jsonl", rows.map((row) => `${JSON.stringify(row)}\n`).join(""))

export const jsonLines = (text: string): ReadonlyArray<any> =>
  text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line))

/** Three questions a level, 0 to 8 of 8. */
export const rated = (): string =>
  rowsFile(
    Array.from({ length: 27 }, (_, i) => ({
      id: `q${i}`,
      k: i % 9,
      topic: i % 2 === 0 ? "even" : "odd",
      text: `question ${i}`
    }))
  )
