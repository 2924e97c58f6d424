/** The sorted batcher: strictly from easy to hard, the limit of the Gaussian with the quantile centre as sigma goes to 0. */
import * as Schema from "effect/Schema"
import type { DrawOptions } from "../Batcher.ts"
import { deckBatcher } from "../DeckBatcher.ts"
import { easiestFirst, takeInOrder } from "../LevelOrder.ts"

const Own = Schema.Struct({})

/** Serves the highest pass rates first; questions of one rate come in a seeded order, and batches are shuffled. */
export const sorted = deckBatcher<typeof Own.Type, DrawOptions>({
  own: Own,
  init: () => ({}),
  again: () => false,
  choose: ({ deck }, size, available) => ({
    take: takeInOrder(size, easiestFirst(deck.rates), available),
    fill: 0,
    targetMean: null
  })
})
