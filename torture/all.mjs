// `npm run torture`: every part after the other, each with its full count. A part alone: `node torture/<part>.ts --count N --seed S`.
import { spawnSync } from "node:child_process"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const node = join(root, "node_modules/.bin/node")
const parts = [
  "resumes",
  "diskFaults",
  "faultedRequests",
  "updates",
  "day",
  "kills",
  "realKills",
  "leases",
  "redisKills",
  "soak"
]
const asked = process.argv.slice(2)
const unknown = asked.filter((name) => !parts.includes(name))
if (unknown.length > 0) {
  console.error(`no part ${unknown.join(", ")}; there are ${parts.join(", ")}`)
  process.exit(2)
}
const failed = parts
  .filter((part) => asked.length === 0 || asked.includes(part))
  .filter((part) => {
    const args = ["--expose-gc", join(root, "torture", `${part}.ts`)]
    return spawnSync(node, args, { cwd: root, stdio: "inherit" }).status !== 0
  })
console.log(failed.length === 0 ? "\nall parts held" : `\nnot held: ${failed.join(", ")}`)
process.exit(failed.length === 0 ? 0 : 1)
