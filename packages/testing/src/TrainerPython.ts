/** The Python of apps/trainer, which `npm run setup` makes: for tests that run something in it. */
import { spawnSync } from "node:child_process"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

/** The folder of the trainer. */
export const trainerFolder = fileURLToPath(new URL("../../../apps/trainer", import.meta.url))

/** Finds it, or throws what to do. */
export const trainerPython = (): string => {
  const path = join(trainerFolder, ".venv/bin/python")
  if (!existsSync(path)) throw new Error("apps/trainer/.venv has no Python: run `npm run setup` first")
  return path
}

/** Runs a script in it and gives what it printed; throws what it complained of. */
export const inTrainerPython = (script: string, cwd: string): string => {
  const { status, stderr, stdout } = spawnSync(trainerPython(), ["-c", script], { cwd, encoding: "utf8" })
  if (status !== 0) throw new Error(stderr)
  return stdout.trim()
}
