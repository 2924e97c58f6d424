/** Why sampling from servers ends as a whole: none of them answers, or one refuses what every request needs. Anything less is data. */
import * as Schema from "effect/Schema"

/** No server has answered for as long as the caller has patience. The same call may succeed later. */
export class ServersSilent extends Schema.TaggedError<ServersSilent>()("ServersSilent", {
  servers: Schema.Array(Schema.Struct({ endpoint: Schema.String, reason: Schema.String }))
}) {
  readonly retryable = true
  override get message(): string {
    return `no server answers: ${this.servers.map(({ endpoint, reason }) => `${endpoint} (${reason})`).join(", ")}`
  }
}

const meaning = (status: number): string => {
  if (status === 401 || status === 403) return "the key is refused: is --api-key-env the right variable?"
  return status === 404 ? "no such model or route" : "every request is refused"
}

/** A key, a model, a route or the form of every request is refused: no other question would fare better. */
export class ServersRefused extends Schema.TaggedError<ServersRefused>()("ServersRefused", {
  url: Schema.String,
  status: Schema.Int,
  reason: Schema.String
}) {
  override get message(): string {
    return `${this.url} answered with status ${this.status}, ${meaning(this.status)} (${this.reason})`
  }
}
