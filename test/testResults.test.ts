/** What `npm test` says at its end is read from the result files of both test runners. */
import { assert, it } from "@effect/vitest"
import { join } from "node:path"
import { root } from "./gradus.ts"
import { write } from "./rows.ts"

const { ofPytest, ofVitest, resultOf } = await import(join(root, "scripts/testResults.mjs"))

const RED = `${String.fromCodePoint(27)}[31m`
const vitest = {
  numPassedTests: 3,
  testResults: [
    {
      name: "/here/packages/a/test/A.test.ts",
      status: "failed",
      message: "",
      assertionResults: [
        { status: "passed", fullName: "a holds", failureMessages: [] },
        {
          status: "failed",
          fullName: "b holds",
          failureMessages: [`${RED}AssertionError: expected 1 to equal 2\n  at x`]
        }
      ]
    },
    {
      name: "/here/test/B.test.ts",
      status: "failed",
      message: "Cannot find module 'c'\nmore",
      assertionResults: []
    },
    {
      name: "/here/test/C.test.ts",
      status: "failed",
      message: "the hook failed",
      assertionResults: [{ status: "skipped", fullName: "d holds", failureMessages: [] }]
    }
  ]
}

it("of vitest: failed tests by name, and files that could not be loaded or whose hook failed", () => {
  assert.deepStrictEqual(ofVitest(JSON.stringify(vitest), "/here"), {
    passed: 3,
    failures: [
      { name: "packages/a/test/A.test.ts > b holds", message: "AssertionError: expected 1 to equal 2" },
      { name: "test/B.test.ts", message: "Cannot find module 'c'" },
      { name: "test/C.test.ts", message: "the hook failed" }
    ]
  })
})

it("of pytest: failures and errors by name, skipped tests in neither count", () => {
  const xml = `<?xml version="1.0"?><testsuites><testsuite name="pytest" errors="1" failures="1" skipped="1" tests="5" time="1">
<testcase classname="tests.test_a" name="test_good" time="0.1" />
<testcase classname="tests.test_a" name="test_bad[&lt;on&gt;]" time="0.1"><failure message="assert 1 == 2&#10;  + where">trace</failure></testcase>
<testcase classname="tests.test_a" name="test_not_here" time="0.1"><skipped type="pytest.skip" message="no GPU">x</skipped></testcase>
<testcase classname="tests.test_b" name="test_set_up" time="0.1"><error message="failed on setup with &quot;x&quot;">trace</error></testcase>
<testcase classname="tests.test_b" name="test_fine" time="0.1" /></testsuite></testsuites>`
  assert.deepStrictEqual(ofPytest(xml), {
    passed: 2,
    failures: [
      { name: "tests.test_a::test_bad[<on>]", message: "assert 1 == 2" },
      { name: "tests.test_b::test_set_up", message: 'failed on setup with "x"' }
    ]
  })
})

it("a runner that left no file, half of one, or no test has failed", () => {
  const read = (text: string) => ofVitest(text, "/here")
  const missing = resultOf("vitest", join(root, "no-such.json"), read)
  assert.deepStrictEqual([missing.passed, missing.failures.length], [0, 1])
  assert.match(missing.failures[0].message, /^left no result: ENOENT/)
  assert.strictEqual(resultOf("vitest", write("half.json", '{"numPassed'), read).failures.length, 1)
  const none = resultOf("vitest", write("none.json", JSON.stringify({ numPassedTests: 0, testResults: [] })), read)
  assert.deepStrictEqual(none.failures, [{ name: "vitest", message: "left no result: no test ran" }])
})
