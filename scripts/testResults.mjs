// What vitest's and pytest's result files say: how many tests passed and failed, and of each failed one its name and the first line of its message.
import { readFileSync } from "node:fs"
import { relative } from "node:path"

// a terminal's colours: the letter ESC, then `[`, figures, a letter
const COLOURS = new RegExp(`${String.fromCodePoint(27)}\\[[0-9;]*[A-Za-z]`, "g")
const firstLine = (message) => (message ?? "").replaceAll(COLOURS, "").trim().split("\n")[0]

const ofFile = (file, root) => {
  const name = relative(root, file.name)
  const failures = file.assertionResults
    .filter(({ status }) => status === "failed")
    .map(({ failureMessages, fullName }) => ({ name: `${name} > ${fullName}`, message: firstLine(failureMessages[0]) }))
  // a file that could not be loaded has no test that says so, and one whose hook failed has none that failed
  return file.status === "failed" && failures.length === 0 ? [{ name, message: firstLine(file.message) }] : failures
}

/** Reads vitest's JSON. Names are relative to the root. */
export const ofVitest = (text, root) => {
  const { numPassedTests, testResults } = JSON.parse(text)
  const failures = testResults.flatMap((file) => ofFile(file, root))
  return { passed: numPassedTests, failures }
}

const ENTITIES = { amp: "&", apos: "'", gt: ">", lt: "<", quot: '"' }
/** The text of an attribute. */
const plain = (text) =>
  text
    .replaceAll(/&#(x?)([0-9A-Fa-f]+);/g, (_, hex, digits) =>
      String.fromCodePoint(Number.parseInt(digits, hex === "" ? 10 : 16))
    )
    .replaceAll(/&(amp|apos|gt|lt|quot);/g, (_, name) => ENTITIES[name])
const attribute = (tag, name) => plain(new RegExp(`\\b${name}="([^"]*)"`).exec(tag)?.[1] ?? "")

/** Reads pytest's JUnit XML. */
export const ofPytest = (text) => {
  const suite = /<testsuite [^>]*>/.exec(text)[0]
  const number = (name) => Number(attribute(suite, name))
  const bad = number("errors") + number("failures")
  const failures = [...text.matchAll(/<testcase ([^>]*[^/])>\s*<(?:failure|error) ([^>]*)>/g)].map(
    ([, testcase, failure]) => ({
      name: `${attribute(testcase, "classname")}::${attribute(testcase, "name")}`,
      message: firstLine(attribute(failure, "message"))
    })
  )
  // a test whose body and whose tear-down failed counts twice there
  while (failures.length < bad) failures.push({ name: "pytest", message: "a failure without a name: see above" })
  return { passed: number("tests") - bad - number("skipped"), failures }
}

/** Reads a result file; one that is missing, unreadable or without a test is itself a failure. */
export const resultOf = (title, file, read) => {
  try {
    const result = read(readFileSync(file, "utf8"))
    if (result.passed + result.failures.length === 0) throw new Error("no test ran")
    return result
  } catch (cause) {
    return { passed: 0, failures: [{ name: title, message: `left no result: ${cause.message}` }] }
  }
}
