// The loopback server of the profile benches, as a process of its own: node bench/profile-server.mjs [characters of a choice] [delay in ms]
// First line: its endpoint. A line on standard input is answered with its counts; it ends when standard input does.
import { startSampleServer } from "@gradus/testing/SampleServer"
import { createInterface } from "node:readline"

const [characters = 400, delay = 0] = process.argv.slice(2).map(Number)
const filler = "so she sells the rest of them at the market for 2 dollars each and then has ".repeat(200)
const server = await startSampleServer({
  text: (question, serial) => {
    // question i is answered with its number by i mod 9 of 8 choices
    const i = Number(/\d+$/.exec(question)?.[0] ?? 0)
    const right = (serial * 5) % 8 < i % 9
    return `#${serial} ${filler.slice(0, characters)} The answer is ${right ? i : -1}`
  },
  delayMillis: () => delay
})
console.log(server.endpoint)
const lines = createInterface(process.stdin)
lines.on("line", () => {
  let mostOfOne = 0
  for (const asked of server.asked.values()) mostOfOne = Math.max(mostOfOne, asked)
  console.log(JSON.stringify({ ...server.counts(), mostOfOne }))
})
lines.on("close", () => process.exit(0))
