/** The reward server's interface: our own door and those that other trainers already call. */
import * as HttpApi from "effect/http-api/HttpApi"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Schema from "effect/Schema"
import { BatchRequest, BatchResponse } from "./doors/Batch.ts"
import { GraderRequest, GraderResponse } from "./doors/ChatGrader.ts"
import { GymVerifyRequest, GymVerifyResponse } from "./doors/NemoGym.ts"
import { OpenRlhfRequest, OpenRlhfResponse } from "./doors/OpenRlhf.ts"
import { SlimeRequest } from "./doors/Slime.ts"
import { VerlRequest, VerlResponse } from "./doors/Verl.ts"
import { RewardAuth } from "./RewardAuth.ts"
import { DoorProblems } from "./RewardProblem.ts"

/** What the server grades by, for people who wonder. */
export const RewardInfo = Schema.Struct({
  name: Schema.Literal("gradus"),
  accuracy: Schema.String,
  answer: Schema.String,
  format: Schema.String,
  compose: Schema.String,
  batch_limit: Schema.Int,
  body_limit: Schema.Int,
  /** Questions whose truth is known, for callers that send none. */
  questions: Schema.Int
})

const says = (summary: string, description: string) => OpenApi.annotations({ summary, description })

/** Doors that need the token. */
export class Doors extends HttpApiGroup.make("doors")
  .add(
    HttpApiEndpoint.post("score", "/v1/score", {
      payload: BatchRequest,
      success: BatchResponse,
      error: DoorProblems
    }).annotateMerge(
      says("Score completions", "Scores in the order of the requests; value is null where nobody can say.")
    ),
    HttpApiEndpoint.get("info", "/v1/info", { success: RewardInfo }).annotateMerge(
      says("Say what is graded by", "Rules, limits and the number of known questions.")
    ),
    HttpApiEndpoint.post("getReward", "/get_reward", {
      payload: OpenRlhfRequest,
      success: OpenRlhfResponse,
      error: DoorProblems
    }).annotateMerge(
      says("OpenRLHF", "Remote reward model: query, prompts and labels to rewards, scores and extra_logs.")
    ),
    HttpApiEndpoint.post("rm", "/rm", {
      payload: SlimeRequest,
      success: Schema.Finite,
      error: DoorProblems
    }).annotateMerge(says("slime", "Remote reward model: prompt, response and label to one number.")),
    HttpApiEndpoint.post("seedSession", "/seed_session", {
      payload: Schema.Json,
      success: Schema.Record(Schema.String, Schema.Json)
    }).annotateMerge(says("NeMo Gym, before a rollout", "Nothing is kept between rollouts.")),
    HttpApiEndpoint.post("verify", "/verify", {
      payload: GymVerifyRequest,
      success: GymVerifyResponse,
      error: DoorProblems
    }).annotateMerge(says("NeMo Gym, after a rollout", "The body comes back with reward and reward_components.")),
    HttpApiEndpoint.post("classify", "/classify", {
      payload: VerlRequest,
      success: VerlResponse,
      error: DoorProblems
    }).annotateMerge(says("verl", "Discriminative reward model as vLLM serves it: the reward is data[-1].probs[-1].")),
    HttpApiEndpoint.post("grade", "/v1/chat/completions", {
      payload: GraderRequest,
      success: GraderResponse,
      error: DoorProblems
    }).annotateMerge(
      says("Grader as a chat model", "Grades {gold, completion}, Inspect's template or our judge's prompt.")
    )
  )
  .middleware(RewardAuth) {}

/** What anybody may ask. */
export class Health extends HttpApiGroup.make("health").add(
  HttpApiEndpoint.get("healthz", "/healthz", { success: Schema.Struct({ status: Schema.Literal("ok") }) })
) {}

export class RewardApi extends HttpApi.make("gradus-rewards")
  .add(Doors)
  .add(Health)
  .middleware(HttpApiMiddleware.ProblemDetails)
  .annotateMerge(OpenApi.annotations({ title: "Gradus rewards", version: "1" })) {}
