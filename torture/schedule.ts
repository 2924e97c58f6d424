/** Which moment is killed at next: the kinds that had the fewest kills, so that each has its turn before any has a second one. */
import type * as Seed from "@gradus/domain/Seed"

/** A kill that is due: a kind of moment, how often it comes until then (from 0), and the place at which that is. */
export interface Turn {
  readonly kind: string
  readonly time: number
  readonly place: number
}

/** A kind may be behind a run that begins again (what is written once is there already): after so many turns without a kill it has had its turn. */
const MISSES = 3
const A_TURN = 2

export class Schedule {
  private readonly turns = new Map<string, number>()
  private readonly missed = new Map<string, number>()
  private readonly stream: Seed.Stream
  private readonly isFirst: (kind: string) => boolean

  /** Kinds that are first have their turn before the others do. */
  constructor(stream: Seed.Stream, isFirst: (kind: string) => boolean = () => true) {
    this.stream = stream
    this.isFirst = isFirst
  }

  private rank(kind: string): number {
    return A_TURN * (this.turns.get(kind) ?? 0) + (this.isFirst(kind) ? 0 : 1)
  }

  private least(kinds: ReadonlyArray<string>): number {
    return Math.min(...new Set(kinds).values().map((kind) => this.rank(kind)))
  }

  /**
   * Chooses a moment of a run at or after the place `from`, of a run that may be killed `left` times more: these are spread over the places that are left, so that a
   * run is killed from its first write to its last. When all that is due lies behind, what lies ahead
   * may have one turn more than that. Undefined when it had: the run may finish then.
   */
  choose(moments: ReadonlyArray<string>, from: number, left: number): Turn | undefined {
    const least = this.least(moments.slice(from))
    if (least > this.least(moments) + A_TURN) return undefined
    const times = new Map<string, number>()
    const due = moments.slice(from).flatMap((kind, i) => {
      const time = times.get(kind) ?? 0
      times.set(kind, time + 1)
      return this.rank(kind) === least ? [{ kind, time, place: from + i }] : []
    })
    const near = due.filter(({ place }) => place < from + (2 * (moments.length - from)) / left)
    // each kind that is near as likely, however often it comes
    const kinds = [...Map.groupBy(near.length > 0 ? near : due.slice(0, 1), ({ kind }) => kind).values()]
    const [turns] = this.stream.shuffle(kinds)
    const [turn] = this.stream.shuffle(turns ?? [])
    if (turn !== undefined) this.turns.set(turn.kind, (this.turns.get(turn.kind) ?? 0) + 1)
    return turn
  }

  /** Takes a turn back in which no kill came. */
  miss(kind: string): void {
    const before = this.missed.get(kind) ?? 0
    this.missed.set(kind, before + 1)
    if (before + 1 < MISSES) this.turns.set(kind, (this.turns.get(kind) ?? 1) - 1)
  }
}
