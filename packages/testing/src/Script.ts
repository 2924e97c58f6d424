/** What a loopback server does with each request: the same always, a list by turn, or a function of the request. */

/** A list is followed by turn of arrival and its last behaviour is kept; an empty list never is. */
export type Script<Request, Behaviour> =
  | readonly [Behaviour, ...ReadonlyArray<Behaviour>]
  | ((request: Request, index: number) => Behaviour)

/** Picks the behaviour for the request that arrived as number `index` (from 0). */
export const pick = <Request, Behaviour>(
  script: Script<Request, Behaviour>,
  request: Request,
  index: number
): Behaviour => (typeof script === "function" ? script(request, index) : (script[index] ?? script.at(-1) ?? script[0]))
