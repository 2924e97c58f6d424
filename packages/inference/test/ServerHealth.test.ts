import { assert, describe, it } from "@effect/vitest"
import * as Health from "../src/ServerHealth.ts"

const times = (count: number, step: (health: Health.ServerHealth) => Health.ServerHealth, from = Health.unknown) =>
  Array.from({ length: count }, () => step).reduce((health, next) => next(health), from)

describe("the circuit", () => {
  it("opens at the fifth failure in a row, and any answer starts the count again", () => {
    const four = times(4, (health) => Health.failed(health, 0, 10))
    assert.strictEqual(Health.allowance(four, null, 10, 64), 64)
    const five = Health.failed(four, 0, 10)
    assert.isTrue(Health.isOpen(five))
    assert.strictEqual(Health.allowance(five, null, 10, 64), 0)
    const mended = Health.failed(Health.answered(four, 5), 0, 10)
    assert.isFalse(Health.isOpen(mended))
  })

  it("lets one request try after half a second, then after twice as long, up to half a minute", () => {
    let health = times(5, (one) => Health.failed(one, 0, 0))
    assert.strictEqual(Health.allowance(health, null, 499, 64), 0)
    assert.strictEqual(Health.allowance(health, null, 500, 64), 1)
    health = Health.failed(health, 500, 501)
    assert.strictEqual(Health.allowance(health, null, 1500, 64), 0)
    assert.strictEqual(Health.allowance(health, null, 1501, 64), 1)
    let now = 1501
    for (let i = 0; i < 20; i++) {
      health = Health.failed(health, now, now)
      now = health.heldUntil
    }
    assert.strictEqual(health.heldUntil - health.openedAt, 30_000)
    assert.strictEqual(Health.allowance(Health.answered(health, 5), null, now, 64), 64)
  })

  it("is not opened for longer by what was sent before it opened", () => {
    const open = times(5, (health) => Health.failed(health, 0, 100))
    assert.deepStrictEqual(
      times(500, (health) => Health.failed(health, 50, 120), open),
      open
    )
  })
})

describe("a server's own wish", () => {
  it("is kept: nothing is sent before Retry-After is over, and it is no failure", () => {
    const held = Health.held(Health.unknown, 2000, 100)
    assert.strictEqual(Health.allowance(held, null, 2099, 64), 0)
    assert.strictEqual(Health.allowance(held, null, 2100, 64), 64)
    assert.isFalse(Health.isOpen(held))
  })
})

describe("a slow server", () => {
  const at = (millis: number, count = 8) => times(count, (health) => Health.answered(health, millis))
  it("is one that takes more than four times as long as the fastest, once both are known; it then gets one request at a time", () => {
    const least = Health.fastest([at(100), at(401), at(1, 7)])
    assert.strictEqual(least, 100)
    assert.isTrue(Health.isSlow(at(401), least))
    assert.isFalse(Health.isSlow(at(400), least))
    assert.isFalse(Health.isSlow(at(5000, 7), least))
    assert.strictEqual(Health.allowance(at(401), least, 0, 64), 1)
  })

  it("is taken up again when its answers come fast: the time is smoothed", () => {
    const again = times(60, (health) => Health.answered(health, 100), at(4000))
    assert.isFalse(Health.isSlow(again, 100))
  })

  it("is measured against servers that work", () => {
    const dead = times(5, (health) => Health.failed(health, 0, 0), at(1))
    assert.strictEqual(Health.fastest([dead, at(300)]), 300)
    assert.isNull(Health.fastest([Health.unknown]))
  })
})
