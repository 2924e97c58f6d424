/** Runs that go on, in a real Chromium: what a step adds comes to the open page, a failed read ends nothing, and a run that runs is told from a dead one. */
import { mkdtempSync, rmSync, utimesSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Browser, Page } from "playwright-core"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { type Started, start } from "../gradus.ts"
import { launch } from "./chromium.ts"
import { beginRun } from "./madeRun.ts"
import { openPage } from "./pages.ts"

const home = mkdtempSync(join(tmpdir(), "gradus-live-"))
const runs = join(home, "runs")
let browser: Browser
let server: Started
let url: string

beforeAll(async () => {
  server = start(["view", "--runs", runs, "--json"])
  await server.said('"url"')
  url = server.line().url
  browser = await launch()
}, 120_000)
afterAll(async () => {
  await browser?.close()
  server?.child.kill("SIGTERM")
  await server?.ended
  rmSync(home, { recursive: true })
})

/** Begins a run of which so many steps are done. Its batcher learns from outcomes: only its journal says what was asked. */
const goingOn = async (seed: number, done: number) => {
  const open = await beginRun(runs, seed, { steps: 6, prompts: 4, samples: 5, learns: true })
  for (let i = 0; i < done; i++) await open.step()
  return open
}

const AWAIT = { timeout: 30_000 }

/** Says whether a page is the one that was opened, not a later load of it. */
const marked = async (page: Page): Promise<() => Promise<boolean>> => {
  await page.evaluate(() => Object.assign(globalThis, { mark: true }))
  return () => page.evaluate(() => "mark" in globalThis)
}

describe("a run that goes on", () => {
  it("shows the batches that its steps have asked, and a new one without a reload", async () => {
    const open = await goingOn(1, 2)
    const { page, wrong } = await openPage(browser, url, `#/run/${open.run}/curriculum?step=2`)
    await page.getByText("step 2 of 2").waitFor()
    const isSame = await marked(page)
    expect(await page.locator("ul.questions li").allInnerTexts()).toEqual([0, 1, 2, 3].map((i) => `train/2-${i}`))
    await open.step()
    await page.getByText("step 2 of 3").waitFor(AWAIT)
    expect(await isSame()).toBe(true)
    expect(wrong).toEqual([])
    await page.close()
  }, 60_000)

  it("shows what was answered to a question, and one more completion of each in the list", async () => {
    const open = await goingOn(2, 1)
    const asked = await openPage(browser, url, `#/run/${open.run}/question/${encodeURIComponent("train/1-2")}`)
    await asked.page.getByRole("link", { name: "step 1" }).waitFor()
    expect(await asked.page.locator("ol.answers li").count()).toBe(5)
    const list = await openPage(browser, url, `#/run/${open.run}/completions`)
    await list.page.getByText("20 of 20 completions").waitFor()
    await open.step()
    await list.page.getByText("40 of 40 completions").waitFor(AWAIT)
    expect(await list.page.getByRole("listitem").first().innerText()).toContain("train/2-0")
    expect([...asked.wrong, ...list.wrong]).toEqual([])
    await asked.page.close()
    await list.page.close()
  }, 60_000)

  it("has a point more in its curves after a step, also when reads in between fail", async () => {
    const open = await goingOn(3, 2)
    const { page } = await openPage(browser, url, `#/run/${open.run}`)
    const figure = page.locator("figure.chart").filter({ has: page.getByRole("heading", { name: "Reward parts" }) })
    const points = () => figure.locator(".mark-symbol.role-mark path").count()
    await expect.poll(points, AWAIT).toBe(2)
    const isSame = await marked(page)
    const index = `**/data/runs/${open.run}/index.json`
    await page.route(index, (route) => route.fulfill({ status: 500 }))
    await page.getByText("not up to date").waitFor(AWAIT)
    expect(await points()).toBe(2)
    await page.unroute(index)
    await open.step()
    await expect.poll(points, AWAIT).toBe(3)
    expect(await page.getByText("not up to date").count()).toBe(0)
    expect(await isSame()).toBe(true)
    await page.close()
  }, 90_000)

  it("is read although its first read fails", async () => {
    const open = await goingOn(4, 1)
    const page = await browser.newPage()
    const index = `**/data/runs/${open.run}/index.json`
    await page.route(index, (route) => route.fulfill({ status: 500 }))
    await page.goto(`${url}/#/run/${open.run}/curriculum`)
    await page.getByText("status 500").waitFor()
    await page.unroute(index)
    await page.getByText("step 1 of 1").waitFor(AWAIT)
    await page.close()
  }, 60_000)
})

describe("the state of a run", () => {
  it("is running, stopped when nothing was written for long or the owner left, and finished", async () => {
    const [live, killed, left, done] = [
      await goingOn(5, 1),
      await goingOn(6, 1),
      await goingOn(7, 1),
      await goingOn(8, 1)
    ]
    const hourAgo = Date.now() / 1000 - 3600
    for (const name of [".owner-1", "events.ndjson"]) utimesSync(join(runs, killed.run, name), hourAgo, hourAgo)
    left.leave()
    done.finish()
    const { page, wrong } = await openPage(browser, url, "")
    const stateOf = ({ run }: { readonly run: string }) =>
      page.getByRole("row").filter({ hasText: run }).locator("td:nth-child(3) .badge").innerText()
    await page.getByRole("link", { name: live.run }).waitFor()
    expect(await Promise.all([live, killed, left, done].map(stateOf))).toEqual([
      "running",
      "stopped",
      "stopped",
      "finished"
    ])
    expect(await page.getByRole("row").filter({ hasText: killed.run }).innerText()).toContain("written 1 h ago")
    await page.goto(`${url}/#/run/${killed.run}`)
    await page.locator("header.run .badge", { hasText: "stopped" }).waitFor()
    await page.goto(`${url}/#/run/${live.run}`)
    await page.locator("header.run .badge", { hasText: "running" }).waitFor()
    expect(wrong).toEqual([])
    await page.close()
  }, 60_000)
})
