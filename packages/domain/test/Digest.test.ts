import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { canonicalJson, Digest, ofBytes, ofJson, ofText, short } from "../src/Digest.ts"

const hexOf = (text: string): string => Buffer.from(text, "utf8").toString("hex")

/** The double whose IEEE 754 bits these are. */
const double = (bits: string): number => Buffer.from(bits, "hex").readDoubleBE()

const json = Schema.Record(Schema.String, Schema.NullOr(Schema.Union([Schema.Finite, Schema.Boolean, Schema.String])))

describe("canonical JSON", () => {
  it("writes the example of RFC 8785, section 3.2.2, byte for byte", () => {
    const value: unknown = JSON.parse(String.raw`{
      "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
      "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
      "literals": [null, true, false]
    }`)
    assert.strictEqual(
      canonicalJson(value),
      String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`
    )
    assert.isTrue(
      hexOf(canonicalJson(value)).endsWith("22737472696e67223a22e282ac245c75303030665c6e4127425c225c5c5c5c5c222f227d")
    )
  })

  it("sorts keys by UTF-16 code units, as RFC 8785, section 3.2.3, shows", () => {
    const value = {
      "\u20ac": "Euro Sign",
      "\r": "Carriage Return",
      "\ufb33": "Hebrew Letter Dalet With Dagesh",
      "1": "One",
      "\ud83d\ude00": "Emoji: Grinning Face",
      "\u0080": "Control",
      "\u00f6": "Latin Small Letter O With Diaeresis"
    }
    assert.deepStrictEqual(
      [...canonicalJson(value).matchAll(/:"([^"]+)"/g)].map((match) => match[1]),
      [
        "Carriage Return",
        "One",
        "Control",
        "Latin Small Letter O With Diaeresis",
        "Euro Sign",
        "Emoji: Grinning Face",
        "Hebrew Letter Dalet With Dagesh"
      ]
    )
  })

  it.each([
    ["0000000000000000", "0"],
    ["8000000000000000", "0"],
    ["0000000000000001", "5e-324"],
    ["8000000000000001", "-5e-324"],
    ["7fefffffffffffff", "1.7976931348623157e+308"],
    ["ffefffffffffffff", "-1.7976931348623157e+308"],
    ["4340000000000000", "9007199254740992"],
    ["c340000000000000", "-9007199254740992"],
    ["4430000000000000", "295147905179352830000"],
    ["44b52d02c7e14af5", "9.999999999999997e+22"],
    ["44b52d02c7e14af6", "1e+23"],
    ["44b52d02c7e14af7", "1.0000000000000001e+23"],
    ["444b1ae4d6e2ef4e", "999999999999999700000"],
    ["444b1ae4d6e2ef4f", "999999999999999900000"],
    ["444b1ae4d6e2ef50", "1e+21"],
    ["3eb0c6f7a0b5ed8c", "9.999999999999997e-7"],
    ["3eb0c6f7a0b5ed8d", "0.000001"],
    ["41b3de4355555553", "333333333.3333332"],
    ["41b3de4355555554", "333333333.33333325"],
    ["41b3de4355555555", "333333333.3333333"],
    ["41b3de4355555556", "333333333.3333334"],
    ["41b3de4355555557", "333333333.33333343"],
    ["becbf647612f3696", "-0.0000033333333333333333"],
    ["43143ff3c1cb0959", "1424953923781206.2"]
  ])("writes the double %s of RFC 8785, appendix B, as %s", (bits, text) => {
    assert.strictEqual(canonicalJson(double(bits)), text)
  })

  it("refuses what has no JSON form: not-a-number, infinities, undefined, functions, circles", () => {
    const circle: Array<unknown> = []
    circle.push(circle)
    const refused = [double("7fffffffffffffff"), double("7ff0000000000000"), -Infinity, undefined, () => 1, circle]
    for (const value of refused) assert.throws(() => canonicalJson(value))
    for (const value of [NaN, Infinity, circle]) assert.throws(() => canonicalJson({ deep: [value] }))
  })

  it("refuses halves of surrogate pairs, in values and in keys, and takes whole pairs", () => {
    for (const half of ["\ud800", "a\udc00b", "\udc00\ud800"]) {
      assert.throws(() => canonicalJson(half))
      assert.throws(() => canonicalJson({ [half]: 1 }))
      assert.throws(() => ofJson([{ question: half }]))
      assert.throws(() => ofText(half))
    }
    assert.strictEqual(hexOf(canonicalJson("\ud83d\ude00")), "22f09f988022")
  })

  it.prop("is read back as the same value, and does not depend on the order of keys", [json], ([value]) => {
    const reversed = Object.fromEntries(Object.entries(value).toReversed())
    const wellFormed = Object.entries(value).every(([key, part]) => key.isWellFormed() && String(part).isWellFormed())
    if (!wellFormed) return assert.throws(() => canonicalJson(value))
    assert.strictEqual(canonicalJson(value), canonicalJson(reversed))
    assert.strictEqual(canonicalJson(JSON.parse(canonicalJson(value))), canonicalJson(value))
  })
})

describe("digests", () => {
  it("are SHA-256 in lower-case hexadecimal (FIPS 180-4 examples)", () => {
    assert.strictEqual(ofText(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    assert.strictEqual(ofText("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    assert.strictEqual(ofBytes(new Uint8Array([0x61, 0x62, 0x63])), ofText("abc"))
  })

  it("of JSON are those of its canonical text in UTF-8", () => {
    assert.strictEqual(ofJson({ b: [1, "€"], a: null }), ofText('{"a":null,"b":[1,"€"]}'))
    assert.strictEqual(
      ofJson({ b: [1, "€"], a: null }),
      "2adc9b160a5d7032d1af7b2ae7a582f330a572c753a333536967e45c16e3daf2"
    )
    assert.notStrictEqual(ofJson({ a: 1 }), ofJson({ a: "1" }))
    assert.notStrictEqual(ofJson([[1], [2]]), ofJson([[1, 2]]))
  })

  it("name things for people by their first ten characters, and decode only as 64 of them", () => {
    assert.strictEqual(short(ofText("abc")), "ba7816bf8f")
    assert.isTrue(Schema.is(Digest)(ofText("abc")))
    for (const text of ["", "abc", ofText("abc").toUpperCase(), `${ofText("abc")}0`]) {
      assert.isFalse(Schema.is(Digest)(text))
    }
  })
})
