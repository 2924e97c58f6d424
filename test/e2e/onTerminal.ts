/** A command on a real pseudo-terminal, and the screen that a terminal emulator makes of its bytes. */
import { trainerPython } from "@gradus/testing/TrainerPython"
import xterm from "@xterm/headless"
import { spawn } from "node:child_process"
import { join } from "node:path"
import { onTestFinished } from "vitest"
import { root } from "../gradus.ts"

export interface OnTerminal {
  /** The lines that a reader sees now, without those that are empty at the end. */
  readonly screen: () => ReadonlyArray<string>
  /** Everything that was written, control characters too. */
  readonly bytes: () => string
  readonly type: (text: string) => void
  readonly code: Promise<number | null>
  /** Waits until a line of the screen matches; fails when the command ends without it. */
  readonly shows: (pattern: RegExp) => Promise<void>
}

/** Starts a program with arguments on a terminal of so many columns and rows. */
export const onTerminal = (
  command: ReadonlyArray<string>,
  environment: Readonly<Record<string, string>> = {},
  [columns, rows]: readonly [number, number] = [90, 24]
): OnTerminal => {
  const emulator = new xterm.Terminal({ cols: columns, rows, allowProposedApi: true })
  const child = spawn(
    trainerPython(),
    [join(root, "test/e2e/onTerminal.py"), String(columns), String(rows), ...command],
    {
      cwd: root,
      env: { ...process.env, TERM: "xterm-256color", ...environment },
      stdio: ["pipe", "pipe", "inherit"]
    }
  )
  onTestFinished(() => {
    child.kill("SIGKILL")
  })
  const listeners = new Set<() => void>()
  let written = ""
  child.stdout.on("data", (data: Buffer) => {
    written += data.toString()
    emulator.write(data, () => {
      for (const listener of listeners) listener()
    })
  })
  const screen = (): ReadonlyArray<string> => {
    const { active } = emulator.buffer
    const lines = Array.from({ length: active.length }, (_, i) => active.getLine(i)?.translateToString(true) ?? "")
    return lines.slice(0, lines.findLastIndex((line) => line !== "") + 1)
  }
  const code = new Promise<number | null>((resolve) =>
    child.once("close", (ended) => emulator.write("", () => resolve(ended)))
  )
  const shows = (pattern: RegExp): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = () => {
        if (!screen().some((line) => pattern.test(line))) return
        listeners.delete(look)
        resolve()
      }
      listeners.add(look)
      look()
      void code.then(() => reject(new Error(`it ended without showing ${pattern}:\n${screen().join("\n")}`)))
    })
  return { screen, bytes: () => written, type: (text) => child.stdin.write(text), code, shows }
}
