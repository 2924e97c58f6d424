/** Talk about answers that is no answer: a text all of whose words are function words or words for answering, solving and judging. */
import { bare, words } from "./Bare.ts"
import { isAbsence } from "./Nothing.ts"

const FUNCTION_WORDS =
  "a about above according after again all alright also although am an and another any anything are as at back be because been before being below " +
  "between both but by can cannot carefully clearly could did do does doing done down during each either else enough ensure even ever every " +
  "everything except exactly fact few finally find first firstly following follows for from further gets give given gives go going had has have having " +
  "he hence her here hers him his how however i if in indeed into is it its itself just know last later let lets like line little look made make makes " +
  "making many matter may maybe me means might mine more most much must my myself need needed needs neither next nor not now obviously of off ok okay " +
  "on once only or other our ours ourselves out over own perhaps please proceed put quite rather really said same say says see set shall she should " +
  "side sides simply since so some something still such sure take taken than that the their theirs them themselves then there therefore these they " +
  "thing things this those through thus to today together too true under until up upon us use used using very want was way we well were what when " +
  "where whether which while who whole whose why will with within without would yet you your yours yourself well hmm hm ah oh yeah one ones no whatever " +
  "let's it's that's there's here's we'll i'll i'm i've we've you're they're don't doesn't isn't can't won't what's"

/** Words for answering and judging: no answer is made of them. */
const STRONG_WORDS =
  "accept acceptable accepted accurate accurately agree agreed agreement agrees answer answered answers approach approved arrive " +
  "arrived assert assume assumed attempt award based calculate calculated calibration candidate careful certified check checked " +
  "checking checks compared compute computed conclude concluded conclusion confirm confirmed confirms correct correctly correctness " +
  "deduce demonstrated derivation derive derived determine determined disregard easily equal equals equivalence equivalent evaluate " +
  "evaluated evaluation examine expected explain explained explanation final follow golden grade graded ground ignore instruct " +
  "instruction instructions judged judgement judgment match matched matches matching obtain obtained output pass passed passes " +
  "passing prompt proof prove proved proven provide provided reason reasoning reference rely reply report request requested require " +
  "required requirement requirements requires respond response result results right rubric satisfied satisfies satisfy score scored " +
  "scoring simplification simplified simplify solution solutions solve solved solves solving state stated states step steps " +
  "submission submit submitted think thinking thought thoughts truth valid validated verdict verification verified verifier verify " +
  "wrong yes"

/** Words that stand beside them, and that can be an answer of their own ("the teacher"). */
const WEAK_WORDS =
  "ai algebra analyse analysis analyze anyone applied apply applying assistant authoritative authority begin begins calculation case " +
  "chain changed claim compare comparing comparison complete completed completely compose computation concise condition conditions " +
  "confident consider consideration consistent content credit criteria desired detail detailed details direct directly double end " +
  "ends establish established evaluator evident exam expert experts express expression formula found full fully grader grading " +
  "granted grants guarantee guaranteed hold holds human indicated infer judge judges key label language llm logic logical logically " +
  "manual mark marked marks matchless mathematically mathematics method mode model note number official original panel perfect " +
  "perfectly point positive precise precisely premise previous print problem procedure process professor quantity question read " +
  "reasonable reasons received return review reviewed rule rules seek specialist stage standard start started statement " +
  "straightforward string student succeed success successful suffices system target task teacher test text theorem trust tutor " +
  "undeniable understand unit user value values work worked working works"

/** How people begin to speak before they say something. */
const FILLER_WORDS = "ah alright hm hmm let let's oh ok okay sure yeah"

const FUNCTIONS: ReadonlySet<string> = new Set(FUNCTION_WORDS.split(" "))
const STRONG: ReadonlySet<string> = new Set(STRONG_WORDS.split(" "))
const META: ReadonlySet<string> = new Set(`${STRONG_WORDS} ${WEAK_WORDS}`.split(" "))
const FILLERS: ReadonlySet<string> = new Set(FILLER_WORDS.split(" "))

/** Words by which "there is none" and "nobody can say" are said. */
const DENIALS: ReadonlySet<string> = new Set(["no", "not", "cannot", "can't", "none", "without"])

/** A number, an operator or a command of LaTeX: content, whatever words stand around it. */
const MATHS = /\p{N}|\p{Sm}|\\[A-Za-z]+|[=^/]/u
/** Numbers that only count the steps of a solution. */
const STEPS = /\b(?:step|part|case)\s*\d+\s*[:.)]?/gi

const withoutSteps = (text: string): string => bare(text).replace(STEPS, " ")

const straight = (text: string): ReadonlyArray<string> =>
  words(text)
    .map((word) => word.replaceAll("’", "'"))
    .map((word) => (FUNCTIONS.has(word) ? word : word.replace(/'s$/, "")))
const known = (word: string): boolean => FUNCTIONS.has(word) || META.has(word)

/**
 * Says whether an answer only talks about answers: all its words are known, and one of them is a word for answering or judging, or
 * one is the beginning of a speech ("okay, so"). It does not where the truth is such talk itself ("they are equal"), where all
 * that it says of answering and judging stands in the truth too, or where "no solution" may be the truth.
 */
export const isMetaTalk = (answer: string, gold: string): boolean => {
  const text = withoutSteps(answer)
  const said = straight(text)
  if (said.length === 0 || MATHS.test(text) || !said.every(known)) return false
  if (!said.some((word) => STRONG.has(word))) return said.length > 1 && said.some((word) => FILLERS.has(word))
  if (isAbsence(gold) && said.some((word) => DENIALS.has(word))) return false
  const truth = straight(gold)
  const goldIsTalk = truth.length > 0 && truth.every(known) && !MATHS.test(bare(gold))
  return !goldIsTalk && !said.every((word) => !META.has(word) || truth.includes(word))
}
