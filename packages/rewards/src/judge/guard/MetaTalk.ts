/** Talk about answers that is no answer: a text all of whose words are function words or words for answering, solving and judging. */
import { bare, words } from "./Bare.ts"

const FUNCTION_WORDS =
  "a about above according after again all alright also although am an and another any anything are as at back be because been before being below " +
  "between both but by can cannot carefully clearly could did do does doing done down during each either else enough ensure even ever every " +
  "everything except exactly fact few finally find first firstly following follows for from further gets give given gives go going had has have having " +
  "he hence her here hers him his how however i if in indeed into is it its itself just know last later let lets like line little look made make makes " +
  "making many matter may maybe me means might mine more most much must my myself need needed needs neither next nor not now obviously of off ok okay " +
  "on once only or other our ours ourselves out over own perhaps please proceed put quite rather really said same say says see set shall she should " +
  "side sides simply since so some something still such sure take taken than that the their theirs them themselves then there therefore these they " +
  "thing things this those through thus to today together too true under until up upon us use used using very want was way we well were what when " +
  "where whether which while who whole whose why will with within without would yet you your yours yourself well hmm hm ah oh yeah " +
  "let's it's that's there's here's we'll i'll i'm i've we've you're they're don't doesn't isn't can't won't what's"

const META_WORDS =
  "accept acceptable accepted accurate accurately agree agreed agreement agrees ai algebra analysis analyze analyse answer answered answers anyone apply " +
  "approach approved arrive arrived assert assistant assume assumed attempt authority award based begin calculate calculated calculation calibration " +
  "candidate careful case certified chain check checked checking checks claim compare compared comparing comparison complete completed completely " +
  "computation compute computed concise conclude concluded conclusion condition conditions confident confirm confirmed confirms consider consistent " +
  "content correct correctly correctness credit criteria deduce demonstrated derivation derive derived detail detailed details determine determined " +
  "desired direct directly disregard double easily equal equals equivalence equivalent establish established evaluate evaluated evaluation evaluator " +
  "evident examine exam expected expert experts explain explained explanation express expression final follow full fully grade graded grader grading " +
  "ground guarantee guaranteed hold holds human ignore indicated infer instruct instruction instructions judge judged judgement judges judgment key " +
  "label language llm logic logical logically manual mark marked marks match matched matches matching mathematically mathematics method mode model " +
  "note obtain obtained official original output panel pass passed passes passing perfect perfectly point positive precise precisely premise " +
  "previous print problem procedure process professor prompt proof prove proved proven provide provided quantity question read reason reasoning " +
  "reasonable reasons received reference rely reply report request requested require required requirement requirements requires respond response result results " +
  "return review reviewed right rubric rule rules satisfied satisfies satisfy score scored scoring seek simplification simplified simplify solution " +
  "solutions solve solved solves solving specialist stage standard start started state stated statement states step steps straightforward string student " +
  "submission submit submitted succeed success successful suffices system target task teacher test text theorem think thinking thought thoughts " +
  "trust truth tutor understand unit user valid validated value values verdict verification verified verifier verify work worked working works " +
  "wrong yes changed compose grants granted matchless undeniable authoritative golden"

const FUNCTIONS: ReadonlySet<string> = new Set(FUNCTION_WORDS.split(" "))
const META: ReadonlySet<string> = new Set(META_WORDS.split(" "))

/** A number, an operator or a command of LaTeX: content, whatever words stand around it. */
const MATHS = /\p{N}|\p{Sm}|\\[A-Za-z]+|[=^/]/u
/** Numbers that only count the steps of a solution. */
const STEPS = /\b(?:step|part|case)\s*\d+\s*[:.)]?/gi

const withoutSteps = (text: string): string => bare(text).replace(STEPS, " ")

const straight = (text: string): ReadonlyArray<string> => words(text).map((word) => word.replaceAll("’", "'"))
const known = (word: string): boolean => FUNCTIONS.has(word) || META.has(word)

/**
 * Says whether an answer only talks about answers. It does not where the truth is such talk itself ("they are equal"), or where all
 * that it says of answering and judging stands in the truth too.
 */
export const isMetaTalk = (answer: string, gold: string): boolean => {
  const text = withoutSteps(answer)
  const said = straight(text)
  if (said.length === 0 || MATHS.test(text) || !said.every(known)) return false
  const truth = straight(gold)
  const goldIsTalk = truth.length > 0 && truth.every(known) && !MATHS.test(bare(gold))
  const meta = said.filter((word) => META.has(word))
  return !goldIsTalk && !(meta.length > 0 && meta.every((word) => truth.includes(word)))
}
