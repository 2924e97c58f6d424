import { cpuMillis } from "@gradus/testing/CpuMillis"
import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { followed, followedEach } from "../src/accuracy/Instructions.ts"
import { sentences, words } from "../src/instructions/Counting.ts"
import { checkFor, INSTRUCTION_IDS } from "../src/instructions/Follow.ts"
import { LANGUAGES, detected } from "../src/instructions/Language.ts"
import { readRows } from "./RealData.ts"

type Case = readonly [id: string, kwargs: object, passes: ReadonlyArray<string>, fails: ReadonlyArray<string>]

const english = "the quick brown fox jumps over the lazy dog and then it sleeps in the warm sun"

const cases: ReadonlyArray<Case> = [
  ["keywords:existence", { keywords: ["rain", "Sun"] }, ["The sun after rain.", "sunny, rainy"], ["Only rain.", " "]],
  [
    "keywords:forbidden_words",
    { forbidden_words: ["rock", "c++"] },
    ["A rocket and a shamrock.", "nothing"],
    ["A ROCK.", "I write C++."]
  ],
  [
    "keywords:frequency",
    { keyword: "war", frequency: 2, relation: "at least" },
    ["War, war.", "warwar"],
    ["War once.", "wa r wa r"]
  ],
  ["keywords:frequency", { keyword: "war", frequency: 2, relation: "less than" }, ["peace", "war"], ["war war"]],
  [
    "keywords:letter_frequency",
    { letter: "T", let_frequency: 3, let_relation: "at least" },
    ["that toad", "TtT"],
    ["that", "no"]
  ],
  [
    "keywords:letter_frequency",
    { letter: "#", let_frequency: 2, let_relation: "less than" },
    ["one #", "none"],
    ["## two"]
  ],
  [
    "language:response_language",
    { language: "it" },
    ["Oggi il tempo è bello e sono molto felice di essere qui con voi."],
    ["The weather is nice today and I am very happy to be here with you."]
  ],
  [
    "length_constraints:number_words",
    { num_words: 4, relation: "at least" },
    ["one two three four"],
    ["one two three"]
  ],
  ["length_constraints:number_words", { num_words: 3, relation: "less than" }, ["one two"], ["one two three"]],
  [
    "length_constraints:number_sentences",
    { num_sentences: 2, relation: "at least" },
    ["It rains. We stay.", "Really?! Yes!"],
    ["Dr. Smith stays at home.", "One line\nand another"]
  ],
  ["length_constraints:number_sentences", { num_sentences: 2, relation: "less than" }, ["Only one."], ["One. Two."]],
  [
    "length_constraints:number_paragraphs",
    { num_paragraphs: 2 },
    ["a\n***\nb", "***\na *** b\n***"],
    ["a\n\nb", "a\n***\n***\nb", "a *** b *** c"]
  ],
  [
    "length_constraints:nth_paragraph_first_word",
    { num_paragraphs: 2, nth_paragraph: 2, first_word: "Weekend" },
    ["First.\n\nWeekend plans.", 'First.\n\n\n\n"weekend" it is.'],
    ["Weekend.\n\nFirst.", "First.\n\nWeekend\n\nthird", "one\n\nWeekends"]
  ],
  [
    "detectable_content:number_placeholders",
    { num_placeholders: 2 },
    ["[name] and [address]"],
    ["[name]", "[a\nb] [c]"]
  ],
  [
    "detectable_content:postscript",
    { postscript_marker: "P.S." },
    ["Bye.\nP.S. Come back", "p. s. yes"],
    ["Bye.", "PS no points"]
  ],
  ["detectable_content:postscript", { postscript_marker: "P.P.S" }, ["P.P.S again"], ["P.S. once"]],
  ["detectable_content:postscript", { postscript_marker: "Addendum:" }, ["x\nADDENDUM: y"], ["x"]],
  [
    "detectable_format:number_bullet_lists",
    { num_bullets: 2 },
    ["* a\n* b", "- a\ntext\n  - b"],
    ["* a", "* a\n* b\n- c", "**a**\n**b**"]
  ],
  [
    "detectable_format:constrained_response",
    {},
    ["My answer is maybe.", "Well. My answer is no."],
    ["My answer is yes", "maybe"]
  ],
  [
    "detectable_format:number_highlighted_sections",
    { num_highlights: 2 },
    ["*one* and *two*", "**one** and *two*"],
    ["*one*", "** ** * *", "* a\n* b"]
  ],
  [
    "detectable_format:multiple_sections",
    { section_spliter: "SECTION", num_sections: 2 },
    ["SECTION 1\na\nSECTION 2\nb"],
    ["SECTION 1\na", "section 1 section 2", "SECTION A SECTION B"]
  ],
  [
    "detectable_format:json_format",
    {},
    ['{"a": [1]}', '```json\n{"a": 1}\n```', "```\n[]\n```"],
    ["{a: 1}", 'Here: {"a": 1}', ""]
  ],
  ["detectable_format:title", {}, ["<<A title>>\ntext", "x <<y>>"], ["<< >>", "<<a\nb>>", "<title>"]],
  [
    "combination:repeat_prompt",
    { prompt_to_repeat: "Say it." },
    ["Say it. Yes.", "\nsay it. no"],
    ["Yes. Say it.", "Say"]
  ],
  [
    "combination:two_responses",
    {},
    ["one\n******\ntwo", "******\none\n******\ntwo"],
    ["one", "one ****** one", "a ****** b ****** c", "a ****** ****** b"]
  ],
  [
    "startend:end_checker",
    { end_phrase: "Peace!" },
    ["Goodbye. peace!", '"Peace!"', "x Peace! \n"],
    ["Peace! Bye.", "peace"]
  ],
  ["startend:quotation", {}, ['"all of it"', ' "a" and "b" '], ['"open', "none", '"']],
  [
    "change_case:capital_word_frequency",
    { capital_frequency: 2, capital_relation: "at least" },
    ["STOP and GO", "I am in the U.S."],
    ["Stop and GO", "none"]
  ],
  [
    "change_case:capital_word_frequency",
    { capital_frequency: 2, capital_relation: "less than" },
    ["Only ONE", "none"],
    ["TWO NOW"]
  ],
  ["change_case:english_capital", {}, [english.toUpperCase()], [english, "12345"]],
  [
    "change_case:english_lowercase",
    {},
    [english],
    [english.toUpperCase(), `A ${english}`, "oggi il tempo è bello e sono molto felice di essere qui con voi"]
  ],
  ["punctuation:no_comma", {}, ["No sign of it; none.", "中文，逗号"], ["One, two."]]
]

describe("every instruction", () => {
  it("has a case that passes and one that fails", () => {
    assert.deepStrictEqual([...new Set(cases.map(([id]) => id))].toSorted(), [...INSTRUCTION_IDS].toSorted())
  })

  it.each(cases)("%s with %j", (id, kwargs, passes, fails) => {
    const gold = JSON.stringify({ instruction_id_list: [id], kwargs: [kwargs] })
    for (const response of passes) {
      assert.deepStrictEqual(followed(response, gold, "strict"), { kind: "scored", value: 1 }, response)
      assert.deepStrictEqual(followed(response, gold, "loose"), { kind: "scored", value: 1 }, response)
    }
    for (const response of fails) {
      assert.deepStrictEqual(followed(response, gold, "strict"), { kind: "scored", value: 0 }, response)
    }
  })
})

describe("followed", () => {
  const gold = JSON.stringify({
    instruction_id_list: ["punctuation:no_comma", "startend:quotation", "keywords:existence"],
    kwargs: [{}, { num_words: null }, { keywords: ["a"], relation: null }]
  })

  it("is 1 only where all instructions are followed", () => {
    assert.deepStrictEqual(followedEach('"a b"', gold, "strict"), [true, true, true])
    assert.deepStrictEqual(followedEach('"a, b"', gold, "strict"), [false, true, true])
    assert.deepStrictEqual(followed('"a, b"', gold, "strict"), { kind: "scored", value: 0 })
    assert.deepStrictEqual(followed('"a b"', gold, "strict"), { kind: "scored", value: 1 })
    assert.deepStrictEqual(followed(null, gold, "strict"), { kind: "scored", value: 0 })
  })

  it("loosely forgives a first line, a last line and asterisks", () => {
    const wrapped = 'Sure, here it is:\n"a b"\nHope that helps, friend'
    assert.deepStrictEqual(followedEach(wrapped, gold, "strict"), [false, false, true])
    assert.deepStrictEqual(followed(wrapped, gold, "loose"), { kind: "scored", value: 1 })
    assert.deepStrictEqual(followed('**"a b"**', gold, "loose"), { kind: "scored", value: 1 })
    assert.deepStrictEqual(followed('*, "a b"', gold, "loose"), { kind: "scored", value: 0 })
  })

  it("is unscored where the row is unreadable, unknown or lacks arguments", () => {
    const unreadable = { kind: "unscored", reason: "gold_unreadable" } as const
    for (const row of [
      "",
      "{}",
      '{"instruction_id_list":[],"kwargs":[]}',
      '{"instruction_id_list":["a:b"],"kwargs":[{}]}'
    ]) {
      assert.deepStrictEqual(followed("x", row, "strict"), unreadable)
    }
    const bare = JSON.stringify({ instruction_id_list: ["keywords:existence"], kwargs: [{}] })
    assert.deepStrictEqual(followed("x", bare, "strict"), unreadable)
  })

  it.prop("never crashes, and loose follows from strict", [Schema.String], ([response]) => {
    for (const [id, kwargs] of cases) {
      const row = JSON.stringify({ instruction_id_list: [id], kwargs: [kwargs] })
      const [strict, loose] = (["strict", "loose"] as const).map((how) => followedEach(response, row, how)?.[0])
      assert.isTrue(strict !== true || loose === true, id)
    }
  })

  it("takes little time for a long response", () => {
    for (const unit of ["[", "*", "<<", "\n", "- ", "P.", '"', "a ", "A. ", "```", "SECTION", " *"]) {
      for (const [id, kwargs] of cases) {
        if (id.startsWith("language") || id.startsWith("change_case:english")) continue
        const started = cpuMillis()
        checkFor(id, kwargs)?.(unit.repeat(50_000))
        assert.isBelow(cpuMillis() - started, 1_000, `${id} on ${unit}`)
      }
    }
  })
})

describe("counting", () => {
  it("counts words as runs of letters, digits and underscores", () => {
    assert.deepStrictEqual(words("Don't stop: 3.5 well-known naïve_1 日本"), [
      "Don",
      "t",
      "stop",
      "3",
      "5",
      "well",
      "known",
      "naïve_1",
      "日本"
    ])
  })

  it.each([
    ["It rains. We stay.", 2],
    ["Mr. J. Smith met Dr. Who. They left.", 2],
    ["Use e.g. this one. Or not!", 2],
    ["No end\nof line\nis an end", 1],
    ["1. First thing. 2. Second thing.", 2],
    ["He said “Stop!” Then he left.", 2],
    ["Version 3.5 is out.", 1],
    ["What?! Really...", 2],
    ["今日は晴れ。明日は雨。", 2],
    ["... !!! ???", 0],
    ["", 0]
  ])("%j has %d sentences", (text, count) => {
    assert.strictEqual(sentences(text).length, count)
  })
})

const SAMPLES: Readonly<Record<keyof typeof LANGUAGES, string>> = {
  ar: "الطقس جميل اليوم وأنا سعيد جدا بوجودي هنا معكم في هذه المدينة الكبيرة.",
  bg: "Днес времето е много хубаво и аз съм щастлив, че съм тук с вас в този голям град. Надявам се да се видим отново скоро, защото обичам да разговарям с приятели.",
  bn: "আজ আবহাওয়া খুব সুন্দর এবং আমি এখানে আপনাদের সাথে থাকতে পেরে খুশি।",
  de: "Heute ist das Wetter sehr schön und ich freue mich, hier bei euch in dieser großen Stadt zu sein.",
  en: "The weather is very nice today and I am happy to be here with you in this big city.",
  es: "Hoy hace muy buen tiempo y estoy muy feliz de estar aquí con vosotros en esta gran ciudad.",
  fa: "امروز هوا بسیار خوب است و من خوشحالم که اینجا با شما در این شهر بزرگ هستم.",
  fi: "Tänään on oikein kaunis sää ja olen iloinen, että saan olla täällä teidän kanssanne tässä suuressa kaupungissa.",
  fr: "Aujourd'hui il fait très beau et je suis heureux d'être ici avec vous dans cette grande ville.",
  gu: "આજે હવામાન ખૂબ સારું છે અને હું અહીં તમારી સાથે ખુશ છું.",
  he: "היום מזג האוויר יפה מאוד ואני שמח להיות כאן איתכם בעיר הגדולה הזאת.",
  hi: "आज मौसम बहुत अच्छा है और मैं यहाँ आपके साथ इस बड़े शहर में होने से खुश हूँ।",
  it: "Oggi il tempo è molto bello e sono felice di essere qui con voi in questa grande città.",
  ja: "今日は天気がとても良くて、この大きな町で皆さんと一緒にいられて嬉しいです。",
  kn: "ಇಂದು ಹವಾಮಾನ ತುಂಬಾ ಚೆನ್ನಾಗಿದೆ ಮತ್ತು ನಾನು ಇಲ್ಲಿ ನಿಮ್ಮೊಂದಿಗೆ ಸಂತೋಷವಾಗಿದ್ದೇನೆ.",
  ko: "오늘은 날씨가 아주 좋고 이 큰 도시에서 여러분과 함께 있어서 기쁩니다.",
  ml: "ഇന്ന് കാലാവസ്ഥ വളരെ നല്ലതാണ്, ഇവിടെ നിങ്ങളോടൊപ്പം ഉള്ളതിൽ എനിക്ക് സന്തോഷമുണ്ട്.",
  mr: "आज हवामान खूप छान आहे आणि मी येथे तुमच्यासोबत या मोठ्या शहरात असल्याने आनंदी आहे.",
  ne: "आज मौसम धेरै राम्रो छ र म यहाँ तपाईंहरूसँग यस ठूलो सहरमा हुन पाउँदा खुसी छु।",
  pa: "ਅੱਜ ਮੌਸਮ ਬਹੁਤ ਵਧੀਆ ਹੈ ਅਤੇ ਮੈਂ ਇੱਥੇ ਤੁਹਾਡੇ ਨਾਲ ਖੁਸ਼ ਹਾਂ।",
  pl: "Dzisiaj jest bardzo ładna pogoda i cieszę się, że jestem tutaj z wami w tym dużym mieście.",
  pt: "Hoje o tempo está muito bom e eu estou feliz por estar aqui com vocês nesta grande cidade.",
  ru: "Сегодня очень хорошая погода, и я счастлив быть здесь с вами в этом большом городе.",
  sw: "Leo hali ya hewa ni nzuri sana na nina furaha kuwa hapa pamoja nanyi katika mji huu mkubwa.",
  ta: "இன்று வானிலை மிகவும் நன்றாக இருக்கிறது, உங்களுடன் இங்கே இருப்பதில் மகிழ்ச்சி.",
  te: "ఈ రోజు వాతావరణం చాలా బాగుంది మరియు నేను మీతో ఇక్కడ ఉండటం సంతోషంగా ఉంది.",
  th: "วันนี้อากาศดีมากและฉันดีใจที่ได้อยู่ที่นี่กับพวกคุณในเมืองใหญ่แห่งนี้",
  uk: "Сьогодні дуже гарна погода, і я щасливий бути тут з вами у цьому великому місті.",
  ur: "آج موسم بہت اچھا ہے اور میں یہاں آپ کے ساتھ اس بڑے شہر میں ہونے پر خوش ہوں۔",
  vi: "Hôm nay thời tiết rất đẹp và tôi rất vui được ở đây với các bạn trong thành phố lớn này."
}

describe("language", () => {
  it.each(Object.entries(SAMPLES))("detects %s", (code, text) => {
    assert.strictEqual(detected(text), LANGUAGES[code as keyof typeof LANGUAGES])
  })
})

const rows = readRows(
  "ifeval/input_data.jsonl",
  Schema.Struct({
    key: Schema.Int,
    prompt: Schema.String,
    instruction_id_list: Schema.Array(Schema.String),
    kwargs: Schema.Array(Schema.Record(Schema.String, Schema.Unknown))
  }),
  541
)
it(`supports every instruction of the published set${rows === undefined ? " (shared data absent: nothing to compare)" : ""}`, () => {
  const unread = (rows ?? []).filter(
    (row) => followedEach("x", JSON.stringify(row), "strict")?.length !== row.instruction_id_list.length
  )
  assert.deepStrictEqual(
    unread.map(({ key }) => key),
    []
  )
})
