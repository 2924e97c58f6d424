/**
 * A real redis-server of a test's own, on a spare loopback port: started, killed by -9, stopped in the middle, started again from its files.
 * The one on the PATH (7 on most machines) and the one that `npm run setup` fetched (6.2). None at all is a failure.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process"
import { existsSync, mkdtempSync, rmSync } from "node:fs"
import { connect, createServer } from "node:net"
import { tmpdir } from "node:os"
import { delimiter, join } from "node:path"
import { fileURLToPath } from "node:url"

export interface RedisBinary {
  readonly path: string
  /** E.g. "7.0.15". */
  readonly version: string
}

export interface RedisOptions {
  /** Default: the first of `redisBinaries()`. */
  readonly binary?: RedisBinary
  /** Settings, e.g. `{ appendfsync: "everysec" }`. Default: AOF with appendfsync always, noeviction. */
  readonly settings?: Readonly<Record<string, string>>
}

export interface RedisServer {
  readonly url: string
  readonly port: number
  /** Its data directory. */
  readonly directory: string
  /** Kills it by SIGKILL and waits until it is gone. */
  readonly kill: () => Promise<void>
  /** Starts it again on the same port and files, and waits until it answers. */
  readonly restart: () => Promise<void>
  /** SIGSTOP and SIGCONT: it hangs, its sockets stay open. */
  readonly pause: () => void
  readonly unpause: () => void
  /** Sends one command and gives the raw reply. */
  readonly command: (...parts: ReadonlyArray<string>) => Promise<string>
  /** Kills it and removes its files. */
  readonly stop: () => Promise<void>
}

const fetched = fileURLToPath(new URL("../../../.cache/redis/redis-server", import.meta.url))

/** Finds the servers of this machine, the one on the PATH first. Throws where there is none. */
export const redisBinaries = (): ReadonlyArray<RedisBinary> => {
  const onPath = (process.env["PATH"] ?? "").split(delimiter).map((folder) => join(folder, "redis-server"))
  const found = [onPath.find((path) => existsSync(path)), fetched].flatMap((path) => {
    if (path === undefined || !existsSync(path)) return []
    const version = /v=(\S+)/.exec(spawnSync(path, ["--version"], { encoding: "utf8" }).stdout)?.[1]
    return version === undefined ? [] : [{ path, version }]
  })
  if (found.length === 0) throw new Error("no redis-server on the PATH and none fetched: run `npm run setup`")
  return found.filter(({ version }, i) => found.findIndex((one) => one.version === version) === i)
}

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer()
    server.once("error", reject)
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0))
    })
  })

/** Sends one command on a connection of its own and gives the bytes of the first reply. */
const ask = (port: number, parts: ReadonlyArray<string>): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => {
      const bulk = parts.map((part) => `$${Buffer.byteLength(part)}\r\n${part}\r\n`).join("")
      socket.write(`*${parts.length}\r\n${bulk}`)
    })
    socket.setTimeout(5000, () => socket.destroy(new Error("redis-server did not answer")))
    socket.once("error", reject)
    socket.once("data", (data) => {
      resolve(String(data).trim())
      socket.destroy()
    })
  })

const answers = async (port: number, child: ChildProcess): Promise<void> => {
  for (let i = 0; i < 600 && child.exitCode === null; i++) {
    const said = await ask(port, ["PING"]).catch(() => "")
    if (said === "+PONG") return
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
  throw new Error(`redis-server on port ${port} did not come up (exit code ${child.exitCode})`)
}

const launch = async (binary: RedisBinary, port: number, directory: string, settings: Record<string, string>) => {
  const all: Record<string, string> = {
    bind: "127.0.0.1",
    port: String(port),
    dir: directory,
    appendonly: "yes",
    appendfsync: "always",
    "maxmemory-policy": "noeviction",
    save: "",
    ...settings
  }
  const args = Object.entries(all).flatMap(([name, value]) => [`--${name}`, value])
  const child = spawn(binary.path, args, { stdio: "ignore" })
  await answers(port, child)
  return child
}

const gone = (child: ChildProcess): Promise<void> =>
  child.exitCode === null && child.signalCode === null
    ? new Promise((resolve) => child.once("exit", () => resolve()))
    : Promise.resolve()

/** Starts a server. The caller stops it. */
export const startRedis = async (options: RedisOptions = {}): Promise<RedisServer> => {
  const [first] = redisBinaries()
  const binary = options.binary ?? first
  if (binary === undefined) throw new Error("no redis-server")
  const directory = mkdtempSync(join(tmpdir(), "gradus-redis-"))
  const port = await freePort()
  const settings = { ...options.settings }
  let child = await launch(binary, port, directory, settings)
  // a test process that dies takes its server along
  const atExit = () => child.kill("SIGKILL")
  process.once("exit", atExit)
  const kill = async () => {
    child.kill("SIGKILL")
    await gone(child)
  }
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    directory,
    kill,
    restart: async () => {
      await kill()
      child = await launch(binary, port, directory, settings)
    },
    pause: () => void child.kill("SIGSTOP"),
    unpause: () => void child.kill("SIGCONT"),
    command: (...parts) => ask(port, parts),
    stop: async () => {
      await kill()
      process.removeListener("exit", atExit)
      rmSync(directory, { recursive: true, force: true })
    }
  }
}
