/** The pages of sweeps in a real Chromium: from the list to a cell's run; open, failed and waiting cells; hostile names stay text; axe finds nothing. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Browser } from "playwright-core"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { gradus, lastLine, type Started, start } from "../gradus.ts"
import { launch } from "./chromium.ts"
import { type MadeSweep, makeSweep } from "./madeSweep.ts"
import { faults, openPage, serveFolder } from "./pages.ts"

const home = mkdtempSync(join(tmpdir(), "gradus-sweeps-"))
const runs = join(home, "runs")
/** What a page that put names into markup would run, load or turn round; a value of an axis names its arm. */
const VALUE = `<img src=x onerror="document.title='owned'">{mode}{question}`
const TURNED = "\u202E{mode}{question}<script>document.title='owned'</script>"
const ESCAPE = "<a href=\"javascript:document.title='owned'\"><style>*{display:none}</style>"
let browser: Browser
let server: Started
let url: string
let orders: MadeSweep

const open = (hash: string, options: Parameters<Browser["newPage"]>[0] = {}, at = url) =>
  openPage(browser, at, hash, options)

beforeAll(async () => {
  orders = makeSweep(
    runs,
    "orders",
    `description: ${JSON.stringify(`Which order teaches most ${ESCAPE}`)}
seeds: [1, 2, 3, 4]
axes:
  - list:
      gaussian: {curriculum.sigma: 0.2}
      uniform: {curriculum: {batcher: uniform}}
      broken: {curriculum: {batcher: balanced}}
metric: {set: heldout, target: 0.2}
`
  )
  orders.reopen("1/broken", `no answer ${ESCAPE}`)
  orders.reopen("3/broken")
  orders.forget("4/broken")
  makeSweep(
    runs,
    "hostile",
    `seeds: [1]\naxes:\n  - grid: {prompt.template: [${JSON.stringify(VALUE)}, ${JSON.stringify(TURNED)}]}\n`
  )
  // folders that no sweep may be called, and a plan that is none
  mkdirSync(join(runs, "sweeps", "<img src=x>"), { recursive: true })
  mkdirSync(join(runs, "sweeps", "torn"), { recursive: true })
  writeFileSync(join(runs, "sweeps", "torn", "plan.json"), '{"format":1,')
  server = start(["view", "--runs", runs, "--json"])
  await server.said('"url"')
  url = server.line().url
  browser = await launch()
}, 240_000)
afterAll(async () => {
  await browser?.close()
  server?.child.kill("SIGTERM")
  await server?.ended
  rmSync(home, { recursive: true })
})

describe("the pages of sweeps", () => {
  it("lead from the list to a sweep and from a cell to its run, by clicks", async () => {
    const { page, wrong } = await open("")
    await page.getByRole("link", { name: "sweeps" }).click()
    const row = page.getByRole("row").filter({ hasText: "Which order" })
    await row.waitFor()
    expect(await row.getByRole("cell").allInnerTexts()).toEqual([
      `Which order teaches most ${ESCAPE}`,
      "3",
      "4",
      "9 of 12",
      "1 failed, 1 begun, 1 waiting"
    ])
    expect(await page.locator("tbody tr").count()).toBe(2)
    await row.getByRole("link", { name: "orders" }).click()
    await page.getByRole("link", { name: /^gaussian, seed 2: [\d.]+ %$/ }).click()
    await page.getByRole("heading", { name: orders.runOf("2/gaussian") }).waitFor()
    expect(wrong).toEqual([])
    await page.close()
  }, 60_000)

  it("show how every cell stands, with the number that its summary holds", async () => {
    const { page, wrong } = await open("#/sweep/orders")
    const grid = page.getByRole("region", { name: "cells by arm and seed" })
    await grid.waitFor()
    const line = async (arm: string): Promise<ReadonlyArray<string>> =>
      grid
        .getByRole("row")
        .filter({ has: page.getByRole("rowheader", { name: arm }) })
        .getByRole("cell")
        .allInnerTexts()
    expect(await line("broken")).toEqual(["failed", expect.stringMatching(/^[\d.]+ %$/), "begun", "waiting"])
    const results = JSON.parse((await (await fetch(`${url}/data/sweeps/orders.json`)).text()) as string)
    const last = (seed: number): string => {
      const { result } = results.cells.find((one: any) => one.arm === "uniform" && one.seed === seed)
      const { accuracy } = result.curve.findLast((point: any) => point.set === "heldout")
      return `${(100 * accuracy).toFixed(1)} %`
    }
    expect(await line("uniform")).toEqual([1, 2, 3, 4].map(last))
    expect(await page.locator("#failures + ul").innerText()).toContain("no answer <a href=")
    expect(wrong).toEqual([])
    await page.close()
  }, 60_000)

  it("compare with the baseline as the report does, and draw every chart of it", async () => {
    const report = lastLine(await gradus("sweep", "report", orders.file, "--runs", runs, "--json"))
    const { page, wrong } = await open("#/sweep/orders")
    await page.getByRole("heading", { name: "Performance profiles" }).waitFor()
    const titles = await page.locator("figure.chart h2").allInnerTexts()
    expect(titles).toEqual([
      "Paired differences",
      "Curriculum against random order",
      "Learning curves at equal tokens",
      "Learning curves at equal updates",
      "Performance profiles"
    ])
    await page.locator("figure.chart .drawing svg").nth(4).waitFor()
    // a band an arm with three seeds or more
    const bands = page.locator("figure.chart").nth(3).locator(".mark-area path")
    expect(await bands.count()).toBeGreaterThanOrEqual(3)
    const differences = page.getByRole("region", { name: "differences to the baseline" })
    const uniform = differences.getByRole("row").filter({ hasText: "uniform" }).getByRole("cell")
    const { interval, mean } = report.differences[0].equalTokens
    const points = (value: number): string => `${value < 0 ? "−" : "+"}${Math.abs(100 * value).toFixed(1)}`
    expect((await uniform.allInnerTexts())[0]).toBe(
      `${points(mean)} [${points(interval.low)}, ${points(interval.high)}] of 4`
    )
    expect(await page.getByText("9 of 12 cells are here").count()).toBe(1)
    expect(await page.getByText("simulation", { exact: true }).count()).toBe(1)
    expect(await page.locator("figure.chart").first().innerText()).toContain("SIMULATION")
    expect(wrong).toEqual([])
    await page.close()
  }, 60_000)

  it.each([
    ["light", "rgb(255, 255, 255)"],
    ["dark", "rgb(23, 27, 33)"]
  ] as const)(
    "have drawings on the ground of the %s theme, whose letters can be read on it",
    async (colorScheme, ground) => {
      const { page } = await open("#/sweep/orders", { colorScheme })
      const svg = page.locator("figure.chart .drawing svg").first()
      await svg.waitFor()
      const colours = await svg.evaluate((drawing: any) => {
        // runs in the page; the declarations here are those of Node
        const own = (element: any): any => (globalThis as any).getComputedStyle(element)
        let behind = drawing
        while (own(behind).backgroundColor === "rgba(0, 0, 0, 0)") behind = behind.parentElement
        return [own(behind).backgroundColor, own(drawing.querySelector(".role-axis-label text")).fill]
      })
      expect(colours).toEqual([ground, colorScheme === "light" ? "rgb(89, 100, 115)" : "rgb(157, 170, 186)"])
      await page.close()
    },
    60_000
  )

  it("keep the evaluation set in the address", async () => {
    const { page, wrong } = await open("#/sweep/orders?set=hard")
    const grid = page.getByRole("region", { name: "cells by arm and seed" })
    await grid.getByText("Last accuracy of hard").waitFor()
    await page.getByLabel("evaluation set").selectOption("heldout")
    await grid.getByText("Last accuracy of heldout").waitFor()
    expect(page.url()).toContain("#/sweep/orders?set=heldout")
    expect(wrong).toEqual([])
    await page.close()
  }, 60_000)

  it("show hostile values and messages as text", async () => {
    for (const hash of ["#/sweeps", "#/sweep/orders", "#/sweep/hostile"]) {
      const { page, wrong } = await open(hash)
      await page.getByText("reading…").waitFor({ state: "detached" })
      await page.locator("main table").first().waitFor()
      if (hash !== "#/sweeps") await page.locator("figure.chart .drawing svg").first().waitFor()
      expect(
        await page.locator("main img, main script, main style, main iframe, main a[href^=javascript]").count()
      ).toBe(0)
      expect(await page.title()).not.toContain("owned")
      expect(wrong, hash).toEqual([])
      await page.close()
    }
    const { page } = await open("#/sweep/hostile")
    const arm = page.locator("th.arm bdi").first()
    expect(await arm.innerText()).toContain("<img src=x onerror=")
    await page.close()
  }, 90_000)

  it.each([
    ["light", 1280],
    ["dark", 1280],
    ["light", 400],
    ["dark", 400]
  ] as const)(
    "have no fault that axe finds, %s, %i pixels wide",
    async (colorScheme, width) => {
      for (const hash of ["#/sweeps", "#/sweep/orders", "#/sweep/hostile"]) {
        const { page } = await open(hash, { colorScheme, viewport: { width, height: 800 } })
        if (hash !== "#/sweeps") await page.locator("figure.chart .drawing svg").first().waitFor()
        expect(await faults(page), `${hash} ${colorScheme} ${width}`).toEqual([])
        const wide = await page.evaluate("document.documentElement.scrollWidth")
        expect(wide, `${hash} is no wider than the window`).toBeLessThanOrEqual(width)
        await page.close()
      }
    },
    120_000
  )

  it("are in the static folder as well", async () => {
    const folder = join(home, "bundle")
    const ended = await gradus("view", "--runs", runs, "--bundle", folder, "--json")
    expect(JSON.parse(ended.stdout.trim())).toMatchObject({ sweeps: 2 })
    const { at, close } = await serveFolder(folder)
    const { page, wrong } = await open("#/sweep/orders", {}, at)
    await page.locator("figure.chart .drawing svg").nth(4).waitFor()
    await page.getByRole("link", { name: /^gaussian, seed 2: / }).click()
    await page.getByRole("heading", { name: "Reward parts" }).waitFor()
    expect(wrong).toEqual([])
    await page.close()
    close()
  }, 90_000)

  it("are asked for by name alone", async () => {
    for (const path of ["..%2f..%2fsecret", "%3Cimg%20src=x%3E", "torn", "none"])
      expect((await fetch(`${url}/data/sweeps/${path}.json`)).status, path).toBe(404)
    // read by the viewer's own schema elsewhere; here some of its members are looked at
    const listed = (await (await fetch(`${url}/data/sweeps.json`)).json()) as any
    expect(listed.sweeps.map((one: any) => one.sweep)).toEqual(["hostile", "orders"])
  })
})
