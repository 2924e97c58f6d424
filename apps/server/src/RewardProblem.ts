/** Why the reward server refuses: RFC 9457 problems, each with its type, and whether the same request may succeed later. */
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as Schema from "effect/Schema"

const fields = {
  type: Schema.String,
  title: Schema.String,
  status: Schema.Int,
  detail: Schema.String,
  /** Whether the same request may succeed later. */
  retryable: Schema.Boolean
}

const asProblem = HttpApiSchema.asJson({ contentType: "application/problem+json" })

/** No token, or another one. */
export class Unauthorized extends Schema.TaggedError<Unauthorized>()("Unauthorized", fields, { httpApiStatus: 401 }) {
  static readonly problem = new Unauthorized({
    type: "urn:gradus:problem:unauthorized",
    title: "Unauthorized",
    status: 401,
    detail: "send the server's token as a bearer token",
    retryable: false
  })
}

/** More completions in one request than the server takes. */
export class BatchTooLarge extends Schema.TaggedError<BatchTooLarge>()("BatchTooLarge", fields, {
  httpApiStatus: 413
}) {
  static readonly of = (found: number, limit: number) =>
    new BatchTooLarge({
      type: "urn:gradus:problem:batch-too-large",
      title: "Batch Too Large",
      status: 413,
      detail: `${found} completions in one request; at most ${limit}`,
      retryable: false
    })
}

/** Lists that belong together have different lengths, or there is nothing that can be compared with. */
export class NotGradable extends Schema.TaggedError<NotGradable>()("NotGradable", fields, { httpApiStatus: 422 }) {
  static readonly of = (detail: string) =>
    new NotGradable({
      type: "urn:gradus:problem:not-gradable",
      title: "Not Gradable",
      status: 422,
      detail,
      retryable: false
    })
}

/** A door that can only say numbers was asked about a completion that nobody could score: no number would be true. */
export class Unscored extends Schema.TaggedError<Unscored>()("Unscored", fields, { httpApiStatus: 503 }) {
  static readonly of = (id: string, reason: string) =>
    new Unscored({
      type: "urn:gradus:problem:unscored",
      title: "Unscored",
      status: 503,
      detail: `${id}: ${reason}`,
      retryable: true
    })
}

/** As they stand in the API: with the media type of problems. */
export const UnauthorizedProblem = Unauthorized.pipe(asProblem)
export const DoorProblems = [
  BatchTooLarge.pipe(asProblem),
  NotGradable.pipe(asProblem),
  Unscored.pipe(asProblem)
] as const
