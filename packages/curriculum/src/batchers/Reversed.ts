/** The reversed batcher: strictly from hard to easy, the anti-curriculum that a curriculum's gain should not survive. */
import * as Schema from "effect/Schema"
import type { DrawOptions } from "../Batcher.ts"
import { deckBatcher } from "../DeckBatcher.ts"
import { easiestFirst, takeInOrder } from "../LevelOrder.ts"

const Own = Schema.Struct({})

/** Serves the lowest pass rates first; questions of one rate come in a seeded order, and batches are shuffled. */
export const reversed = deckBatcher<typeof Own.Type, DrawOptions>({
  own: Own,
  init: () => ({}),
  again: () => false,
  choose: ({ deck }, size, available) => ({
    take: takeInOrder(size, easiestFirst(deck.rates).toReversed(), available),
    fill: 0,
    targetMean: null
  })
})
