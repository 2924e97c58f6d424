import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { HOSTILE } from "../bench/Hostile.ts"
import { takeAnswer } from "../src/Answer.ts"
import { math } from "../src/accuracy/Math.ts"
import { equivalent } from "../src/math/Equivalent.ts"
import { normalise } from "../src/math/Normalise.ts"
import { readRows } from "./RealData.ts"

type Pairs = ReadonlyArray<readonly [string, string]>

const equal: Readonly<Record<string, Pairs>> = {
  numbers: [
    ["1/2", "0.5"],
    ["7!!", "105"],
    [String.raw`\sin(\pi)`, "0"],
    [String.raw`\frac12`, "½"],
    [String.raw`\dfrac{7}{2}`, String.raw`3\frac12`],
    ["-1/2", String.raw`\frac{1}{-2}`],
    ["1,234", String.raw`1\,234`],
    ["1 000", "1000.0"],
    [String.raw`11,\! 111,\! 100`, "11111100"],
    ["2,74", "2.74"],
    [String.raw`3 \times 10^{8}`, "3e8"],
    ["082", "82"],
    ["3 1/2", "3.5"],
    ["x = 1,000", "1000"],
    [String.raw`1,234\text{ cm}`, "1234"],
    [String.raw`\sqrt2 \approx 1.414`, "√2"],
    ["１２３", "123"],
    ["−5", "-5"],
    ["7!", "5040"],
    [String.raw`\binom{10}{3}`, "120"],
    [String.raw`\lfloor 3.7 \rfloor`, "3"],
    ["5", "x = 5"],
    ["5", "3 + 2 = 5"]
  ],
  "percent, degrees, money and units": [
    [String.raw`28\%`, "28 percent"],
    ["0.335", "33.5%"],
    ["10", "10%"],
    [String.raw`90^\circ`, "90"],
    [String.raw`180^\circ`, String.raw`\pi`],
    ["36 degrees", "36°"],
    [String.raw`\$3.50`, "3.5 dollars"],
    [String.raw`10 \text{cm}`, "10"],
    ["3 cm", String.raw`3\,\mathrm{cm}`],
    ["5 m/s", String.raw`5\text{ m/s}`],
    [String.raw`125\textnormal{ miles}`, "125 miles"],
    ["20:34", "20:34:00"]
  ],
  formulas: [
    [String.raw`(x+1)(x-1)`, "x^2-1"],
    [String.raw`\frac{8-7x}{6}`, "4/3-7x/6"],
    ["2*x**2", "2x²"],
    [String.raw`2 \sin b \cos a`, String.raw`\sin(a+b)-\sin(a-b)`],
    [String.raw`\sin^2 x+\cos^2 x`, "1"],
    [String.raw`\sin(90^\circ-x)`, String.raw`\cos x`],
    [String.raw`\tan^{-1}(1)`, String.raw`\pi/4`],
    [String.raw`e^{i\pi}`, "-1"],
    ["1+2i", "i(2-i)"],
    [String.raw`\sqrt{50}`, "5√2"],
    [String.raw`\sqrt[3]{8}`, String.raw`\log_2 4`],
    ["(3*sqrt(5))/7", String.raw`\frac{3\sqrt{5}}{7}`],
    [String.raw`\sum_{k=1}^{10} k`, "55"],
    [String.raw`\sum_{k=0}^{n-1} F_k F_{n-k-1}`, String.raw`\sum_{j=0}^{n-1} F_{n-j-1} F_j`],
    ["4210_{7}", "4210_7"],
    ["f(x) = x^2", "x^2"],
    ["h(t) = 2t", "2t"]
  ],
  "rounded decimals of six digits and more": [
    [String.raw`\sqrt{2}`, "1.4142135623730951"],
    ["10/3", "3.33333333"],
    [String.raw`2.314814814815 \times 10^{-3}`, String.raw`\frac{1}{432}`],
    [String.raw`2\pi`, "6.283185"]
  ],
  relations: [
    ["x >= 5", String.raw`5 \leq x`],
    ["x < 1", "-x > -1"],
    ["x^2/4 + y^2/3 = 1", "x^2/16 + y^2/12 = 1/4"],
    ["y = 2x+3", "y-2x=3"],
    ["-793 < a < 10", "(-793, 10)"],
    [String.raw`x \in [0.5, \infty)`, String.raw`x \ge 1/2`],
    ["x<-1 or x>1", String.raw`(-\infty,-1)\cup(1,\infty)`],
    ["11:21", "V_1:V_2=11:21"],
    ["3:4", "6:8"]
  ],
  "lists, sets, tuples and intervals": [
    [String.raw`\{3,2,1\}`, "{1,2,3}"],
    [String.raw`7, -2, \text{ and } -5`, "-5,-2,7"],
    ["$1$ and $2$", "2, 1"],
    [String.raw`1\pm\sqrt5`, String.raw`1-\sqrt5, 1+\sqrt5`],
    ["(1;2),(3;4)", "(3,4), (1,2)"],
    ["(p,q)=(3,2)", "(3,2)"],
    ["x=1, y=2", "y=2, x=1"],
    ["AB=4, CD=5", "4, 5"],
    ["a=4,-8,-10", "-10, -8, 4"],
    ["(1,2),(3,4),(1,2)", "(3,4),(1,2)"],
    ["{6,6,7}", "{6,7}"],
    ["$98,118,122$", "98, 118, 122"],
    [String.raw`\frac{\pi}{4}+k\pi, k\in\mathbb{Z}`, String.raw`k\pi+\frac{\pi}{4}`],
    [String.raw`x\ne 2`, String.raw`(-\infty,2)\cup(2,\infty)`],
    ["all real numbers", String.raw`(-\infty,\infty)`],
    [String.raw`[0,1]\cup[1,2]`, "[0,2]"],
    [String.raw`\{-1\}\cup[0,7)`, String.raw`[0,7)\cup\{-1\}`]
  ],
  "decimals that repeat": [
    [String.raw`0.\overline{3}`, "1/3"],
    [String.raw`0.\bar{3}`, String.raw`\frac13`],
    [String.raw`0.\bar3`, "1/3"],
    [String.raw`0.1\overline{6}`, "1/6"],
    [String.raw`-2.\overline{142857}`, "-15/7"],
    [String.raw`.\overline{09}`, "1/11"],
    [String.raw`16.\overline{6}\%`, String.raw`\frac{50}{3}\%`],
    ["0.3\u0305", "1/3"],
    ["0.16\u0304", "1/6"],
    [String.raw`0.\overline{9}`, "1"]
  ],
  matrices: [
    [String.raw`\begin{pmatrix}1&2\\3&4\end{pmatrix}`, String.raw`\left[\begin{array}{cc}1&2\\3&4\end{array}\right]`],
    [
      String.raw`\begin{pmatrix}1&2\\3&4\end{pmatrix}+2\begin{pmatrix}1&0\\0&1\end{pmatrix}`,
      String.raw`\begin{bmatrix}3&2\\3&6\end{bmatrix}`
    ],
    [String.raw`\begin{matrix}\frac12\\1\end{matrix}`, "[0.5, 1]"]
  ],
  words: [
    [String.raw`\text{Monday}`, "monday"],
    [String.raw`\text{(B)}`, "B"],
    [String.raw`\mathrm{E}`, "E"]
  ]
}

const different: Readonly<Record<string, Pairs>> = {
  numbers: [
    ["3!!", "720"],
    ["e^{-50}", "0"],
    [String.raw`\pi \cdot 10^{-15}`, String.raw`2\pi \cdot 10^{-15}`],
    ["x^{100}", "x^{100}+1"],
    ["0.33", "1/3"],
    [String.raw`0.\overline{3}`, "0.3"],
    [String.raw`0.\overline{3}`, "0.333"],
    [String.raw`0.1\overline{6}`, String.raw`0.\overline{16}`],
    [String.raw`2\overline{3}`, "23"],
    ["1.41", String.raw`\sqrt{2}`],
    ["1000000.1", "1000000.2"],
    ["12345678901234567890", "12345678901234567891"],
    ["2^{100}", "2^{100}+1"],
    ["3^{2025}", "2^{2025}"],
    ["12", "1,2"],
    ["2", "1 2"],
    ["1.414", String.raw`\sqrt2 \approx 1.414`],
    ["32349", "32, 349"],
    [String.raw`\infty`, String.raw`-\infty`],
    ["52_8", "42"],
    ["42", "1 = 2 = 42"],
    ["42", "42 is wrong"],
    ["42", "not 42"]
  ],
  "percent, degrees, money and units": [
    ["0.1", "1%"],
    ["3 cm", "3 m"],
    ["3 cm", "3 cm^2"],
    [String.raw`36^\circ`, String.raw`\$36`],
    ["10:20", "20:40"]
  ],
  formulas: [
    [String.raw`1-\frac1e`, String.raw`1+\frac1e`],
    ["|x|", "x"],
    ["i", "-i"],
    [String.raw`\frac{1}{2}x`, String.raw`\frac{1}{2x}`],
    ["n", "n+1"],
    ["f(x)=x", "f(x)=x^2"]
  ],
  relations: [
    ["x<3", "x>3"],
    ["x<3", String.raw`x\le 3`],
    ["x=5", "y=5"],
    ["a+3z=0", "0"],
    [String.raw`\sin(x)=\frac{42}{59}`, String.raw`\cos(x)=\frac{42}{59}`],
    ["3:4", "4:3"]
  ],
  "lists, sets, tuples and intervals": [
    [String.raw`\pm 3`, "3"],
    [String.raw`\{1,2\}`, "{1,2,3}"],
    ["(1,2)", "(2,1)"],
    ["(1,2)", "[1,2]"],
    ["[1,2)", "(1,2]"],
    ["x=1, y=2", "x=2, y=1"],
    ["x=1, y=2", "2, 1"],
    ["42", "42 or 43"],
    ["6,6,7", "6,7,7"],
    ["6,6,7", "6,7"],
    [String.raw`(0,1)\cup(1,2)`, "(0,2)"]
  ],
  matrices: [
    [String.raw`\begin{pmatrix}1&2\\3&4\end{pmatrix}`, String.raw`\begin{pmatrix}1&2\\3&5\end{pmatrix}`],
    [String.raw`\begin{pmatrix}1\\2\end{pmatrix}`, String.raw`\begin{pmatrix}2\\1\end{pmatrix}`]
  ],
  words: [
    [String.raw`\text{odd}`, String.raw`\text{oddd}`],
    ["A", "B"],
    ["42", String.raw`\text{the reference answer}`],
    ["42", String.raw`\{n : n \text{ is the answer}\}`]
  ]
}

describe.each(Object.entries(equal))("same %s", (_, pairs) => {
  it.each(pairs)("%s and %s", (left, right) => {
    assert.isTrue(equivalent(left, right))
    assert.isTrue(equivalent(right, left))
  })
})

describe.each(Object.entries(different))("different %s", (_, pairs) => {
  it.each(pairs)("%s and %s", (left, right) => {
    assert.isFalse(equivalent(left, right))
    assert.isFalse(equivalent(right, left))
  })
})

/** Pieces that mathematics is written with, so that random texts reach every part of the reader. */
const pieces = [
  "x",
  "y",
  "e",
  "i",
  "1",
  "23",
  "0.5",
  "1,234",
  "+",
  "-",
  "*",
  "/",
  "^",
  "_",
  "(",
  ")",
  "[",
  "]",
  "{",
  "}",
  "\\{",
  "\\}",
  ",",
  ";",
  "=",
  "<",
  ":",
  "|",
  "!",
  "%",
  "$",
  " ",
  "\\frac",
  "\\sqrt",
  "\\pm",
  "\\cup",
  "\\in",
  "\\infty",
  "\\text{cm}",
  "\\begin{pmatrix}",
  "\\end{pmatrix}",
  "&",
  "\\\\",
  "\\sum_{k=1}^{3}",
  "\\sin",
  "\\log_2",
  " and ",
  " or ",
  "f(",
  "^\\circ",
  "√",
  "²",
  "\\boxed{",
  "\\left(",
  "\\right)",
  "\\binom",
  "\ud800",
  "\u202e"
] as const
const formula = Schema.Array(Schema.Literals(pieces)).check(Schema.isMaxLength(24))

describe("laws", () => {
  it.prop("every text that says something equals itself", [Schema.String], ([text]) => {
    assert.strictEqual(equivalent(text, text), normalise(text) !== "")
  })

  it.prop(
    "no formula crashes it, and the order of the two does not matter",
    [formula, formula],
    ([a, b]) => {
      const [left, right] = [a.join(""), b.join("")]
      assert.strictEqual(equivalent(left, right), equivalent(right, left))
      assert.strictEqual(equivalent(left, left), normalise(left) !== "")
    },
    { arbitrary: { runs: 500 } }
  )

  it.prop("a sum is the same in either order, and another sum is not", [Schema.Int, Schema.Int], ([a, b]) => {
    assert.isTrue(equivalent(`${a}x+(${b})`, `(${b})+${a}x`))
    assert.isFalse(equivalent(`${a}x+(${b})`, `${a}x+(${b})+1`))
  })
})

describe("math accuracy", () => {
  const right = { kind: "scored", value: 1 } as const
  const wrong = { kind: "scored", value: 0 } as const
  it("reads the result in a truth that is a solution", () => {
    assert.deepStrictEqual(math("28", String.raw`So it is $\boxed{28\%}$.`), right)
    assert.deepStrictEqual(math("72", "48/2 = 24\n#### 72"), right)
    assert.deepStrictEqual(math("7", "Final Answer: The final answer is $7$. I hope it is correct."), right)
  })

  it("lets one of several truths be met", () => {
    assert.deepStrictEqual(math("42", '["", "7", "42"]'), right)
    assert.deepStrictEqual(math("43", '["7", "42"]'), wrong)
    assert.deepStrictEqual(math("[1,2]", "[1,2]"), right)
  })

  it("is unscored without a truth, and wrong without an answer", () => {
    for (const gold of ["", " ", "\\boxed{}", '["", " "]']) {
      assert.deepStrictEqual(math("42", gold), { kind: "unscored", reason: "gold_unreadable" })
    }
    assert.deepStrictEqual(math(null, "42"), wrong)
    assert.deepStrictEqual(math("", "42"), wrong)
  })
})

describe("hostile texts", () => {
  it.each(Object.entries(HOSTILE))("%s ends soon and is not the answer", (_, text) => {
    const started = performance.now()
    for (const rule of ["math_last", "boxed_last", "whole"] as const) {
      for (const gold of ["41", "x^{2}+1", "x<3"]) {
        assert.deepStrictEqual(math(takeAnswer(rule, text), gold), { kind: "scored", value: 0 })
      }
    }
    // Nine gradings take some 50 ms in all; a machine that is busy with other things may take a hundred times as long.
    assert.isBelow(performance.now() - started, 5_000)
  })
})

/** Labels that docs/rewards-equivalence.md argues with. */
const CONTESTED: ReadonlyArray<string> = ["eq-0094"]
const RULES = { answer: "whole", completion_boxed: "boxed_last" } as const

const rows = readRows(
  "answers/equivalence_pairs.jsonl",
  Schema.Struct({
    id: Schema.String,
    gold: Schema.Union([Schema.String, Schema.Array(Schema.String)]),
    prediction: Schema.String,
    expected_equal: Schema.Boolean,
    label_class: Schema.String,
    prediction_kind: Schema.String
  }),
  289
)
it(`agrees with published pairs of class math${rows === undefined ? " (shared data absent: nothing to compare)" : ""}`, () => {
  const wrong = (rows ?? []).flatMap(({ id, gold, prediction, expected_equal, label_class, prediction_kind }) => {
    if (label_class !== "math" && label_class !== "robustness") return []
    const rule = RULES[prediction_kind as keyof typeof RULES] ?? "math_last"
    const accuracy = math(takeAnswer(rule, prediction), typeof gold === "string" ? gold : JSON.stringify(gold))
    return (accuracy.kind === "scored" && accuracy.value === 1) === expected_equal ? [] : [id]
  })
  assert.deepStrictEqual(wrong, rows === undefined ? [] : CONTESTED)
})
