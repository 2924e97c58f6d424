/** What tests of pages share: a page that may not leave its server and notes what went wrong, axe, and a static server without any code of ours. */
import axe from "axe-core"
import { readFileSync } from "node:fs"
import { createServer } from "node:http"
import { extname, join } from "node:path"
import type { Browser, Page } from "playwright-core"

export interface Opened {
  readonly page: Page
  /** Requests that were not for the server, failures that the page wrote, answers that were errors. */
  readonly wrong: Array<string>
}

/** Opens an address. Requests elsewhere are stopped and noted. */
export const openPage = async (
  browser: Browser,
  at: string,
  hash: string,
  options: Parameters<Browser["newPage"]>[0] = {}
): Promise<Opened> => {
  const page = await browser.newPage(options)
  const wrong: Array<string> = []
  await page.route("**/*", (route) => {
    const asked = route.request().url()
    if (asked.startsWith(at) || asked.startsWith("data:") || asked.startsWith("blob:")) return route.continue()
    wrong.push(`left loopback: ${asked}`)
    return route.abort()
  })
  page.on("pageerror", (error) => wrong.push(error.message))
  page.on("console", (message) => (message.type() === "error" ? wrong.push(message.text()) : undefined))
  await page.goto(`${at}/${hash}`)
  return { page, wrong }
}

/** Runs axe on a page that has settled; says each fault with the first element that has it. */
export const faults = async (page: Page): Promise<ReadonlyArray<string>> => {
  await page.locator("main h1").waitFor()
  await page.getByText("reading…").waitFor({ state: "detached" })
  await page.evaluate(axe.source)
  return page.evaluate(async () => {
    // runs in the page, where axe is a global; the declarations here are those of Node
    const tool = (globalThis as unknown as { axe: typeof axe }).axe
    const { violations } = await tool.run({ resultTypes: ["violations"] })
    return violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)
  })
}

/** As `faults`, light and dark, wide and narrow: one load and four looks, since the load is most of the time. */
export const faultsInAll = async (page: Page): Promise<ReadonlyArray<string>> => {
  const found: Array<string> = []
  for (const width of [1280, 400]) {
    await page.setViewportSize({ width, height: 800 })
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme })
      found.push(...(await faults(page)).map((fault) => `${colorScheme}, ${width}: ${fault}`))
    }
  }
  return found
}

const TYPES: Readonly<Record<string, string>> = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css" }

/** Serves a folder as any web server would. */
export const serveFolder = async (folder: string): Promise<{ readonly at: string; readonly close: () => void }> => {
  const plain = createServer((request, response) => {
    const path = new URL(request.url ?? "/", "http://x").pathname
    const file = join(folder, path === "/" ? "index.html" : path)
    try {
      const data = readFileSync(file)
      response.writeHead(200, { "content-type": TYPES[extname(file)] ?? "application/octet-stream" }).end(data)
    } catch {
      response.writeHead(404).end()
    }
  })
  await new Promise<void>((resolve) => plain.listen(0, "127.0.0.1", resolve))
  const address = plain.address()
  const port = typeof address === "object" && address !== null ? address.port : 0
  return { at: `http://127.0.0.1:${port}`, close: () => plain.close() }
}
