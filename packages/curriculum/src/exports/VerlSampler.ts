/**
 * A plan for verl: the order of a data set's rows as JSON, and the sampler class that verl loads it with (`data.sampler.class_path`,
 * `data.sampler.class_name`). verl's data loader cuts the order into batches of `data.train_batch_size` and drops a last one that is not full.
 */
import type { PlannedBatch } from "@gradus/domain/Plan"
import * as Schema from "effect/Schema"
import { CurriculumInvalid } from "../PoolInvalid.ts"

export const VerlOrder = Schema.Struct({
  format: Schema.Literal(1),
  /** Rows of the data set that the indices are of; another length is refused when the sampler is made. */
  rows: Schema.Int,
  /** `data.train_batch_size` for which the batches are the plan's. */
  batch_size: Schema.Int,
  /** Row numbers from 0, in the order in which they are asked. */
  indices: Schema.Array(Schema.Int)
})
export type VerlOrder = typeof VerlOrder.Type

/**
 * Turns a plan into the order of a data set's rows; `ids` are the data set's question ids, in its order. Throws `CurriculumInvalid` for a question that
 * the data set lacks, and for a batch before the last that is not full: verl could not cut the order there.
 */
export const verlOrder = (batches: ReadonlyArray<PlannedBatch>, ids: ReadonlyArray<string>): VerlOrder => {
  const rowOf = new Map(ids.map((id, row) => [id, row]))
  const size = batches[0]?.questions.length ?? 0
  const indices: Array<number> = []
  batches.forEach(({ batch, questions }, t) => {
    if (questions.length !== size && t < batches.length - 1) {
      const reason = `batch ${batch} has ${questions.length} questions and the first ${size}: verl cuts equal batches only`
      throw new CurriculumInvalid({ key: "plan", reason })
    }
    for (const id of questions) {
      const row = rowOf.get(id)
      if (row === undefined)
        throw new CurriculumInvalid({ key: "plan", reason: `question ${id} is not in the data set` })
      indices.push(row)
    }
  })
  return { format: 1, rows: ids.length, batch_size: size, indices }
}

/** The overrides that make verl use the order, for its command line. */
export const verlOverrides = (order: VerlOrder, sampler: string, file: string): ReadonlyArray<string> => [
  `data.train_batch_size=${order.batch_size}`,
  `data.sampler.class_path=${sampler}`,
  "data.sampler.class_name=PlannedOrder",
  `+data.sampler.order=${file}`,
  "data.dataloader_num_workers=0",
  "data.filter_overlong_prompts=False",
  "trainer.total_epochs=1"
]

/** The Python module with the sampler: to be written beside the order. */
export const verlSamplerModule = `"""Serves a verl data set in the order of a Gradus plan. Written by gradus export; needs nothing but verl."""

import json

from verl.experimental.dataset.sampler import AbstractSampler


class PlannedOrder(AbstractSampler):
    """Yields the row numbers of data.sampler.order, once."""

    def __init__(self, data_source, data_config):
        with open(data_config.sampler.order, encoding="utf-8") as file:
            order = json.load(file)
        if order["format"] != 1:
            raise ValueError(f"order of format {order['format']}; this sampler reads 1")
        if len(data_source) != order["rows"]:
            raise ValueError(
                f"the plan is of {order['rows']} rows and the data set has {len(data_source)}: "
                "set data.filter_overlong_prompts=False, or export the plan of the filtered set"
            )
        batch_size = data_config.get("gen_batch_size", data_config.get("train_batch_size", order["batch_size"]))
        if batch_size != order["batch_size"]:
            raise ValueError(f"the plan has batches of {order['batch_size']}, data.train_batch_size is {batch_size}")
        self.indices = order["indices"]

    def __iter__(self):
        return iter(self.indices)

    def __len__(self):
        return len(self.indices)
`
