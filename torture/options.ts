/** How a part of the torture is asked for: `--count N --seed S`, with its own defaults. */
import { parseArgs } from "node:util"

export interface Options {
  readonly count: number
  readonly seed: number
  /** File for the result, beside what is printed. */
  readonly output: string | undefined
}

/** Reads the command line of a part. Throws what `parseArgs` throws for a flag that it does not know. */
export const options = (defaults: { readonly count: number }, args = process.argv.slice(2)): Options => {
  const { values } = parseArgs({
    args: [...args],
    options: { count: { type: "string" }, seed: { type: "string" }, output: { type: "string" } }
  })
  const whole = (name: string, text: string): number => {
    if (!/^\d+$/.test(text)) throw new Error(`--${name} ${text}: a whole number is asked for`)
    return Number(text)
  }
  return {
    count: values.count === undefined ? defaults.count : whole("count", values.count),
    seed: values.seed === undefined ? 1 : whole("seed", values.seed),
    output: values.output
  }
}
