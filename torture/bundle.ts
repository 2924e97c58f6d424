/** A program of the torture as one file: a process that is killed at once is mostly its start, and a thousand starts of six hundred modules are an hour. */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs"
import { basename, join } from "node:path"
import { rolldown } from "rolldown"
import { root } from "./result.ts"

/** Native modules, and those that look for files beside them. */
const APART = ["undici", "@resvg/resvg-js"]

/** Bundles a program of this folder, below the root so that it finds what stays apart; `using` removes it. */
export const bundled = async (program: string) => {
  const place = join(root, ".cache/torture")
  mkdirSync(place, { recursive: true })
  const dir = mkdtempSync(join(place, "bundle-"))
  const bundle = await rolldown({
    input: join(root, "torture", program),
    platform: "node",
    external: APART,
    logLevel: "silent"
  })
  await bundle.write({ dir, format: "esm" })
  await bundle.close()
  return {
    file: join(dir, `${basename(program, ".ts")}.js`),
    [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true })
  }
}
