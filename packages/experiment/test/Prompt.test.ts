import { assert, describe, it } from "@effect/vitest"
import { renderPrompt } from "../src/Prompt.ts"

const spec = { template: "{mode}<user>{question}<assistant>", mode: { on: "ON", off: "OFF" } }

describe("a prompt", () => {
  it("has the mode's text and the question in their places", () => {
    assert.strictEqual(renderPrompt(spec, { question: "q?", thinking: "on" }), "ON<user>q?<assistant>")
    assert.strictEqual(renderPrompt(spec, { question: "q?", thinking: "off" }), "OFF<user>q?<assistant>")
  })
  it("takes a question as it is, markers and replacement patterns included", () => {
    assert.strictEqual(
      renderPrompt(spec, { question: "{mode} $& $1", thinking: "on" }),
      "ON<user>{mode} $& $1<assistant>"
    )
  })
})
