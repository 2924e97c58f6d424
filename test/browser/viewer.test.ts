/** The viewer in a real Chromium: from a run to a group to a completion; nothing leaves loopback; hostile completions stay text; axe finds nothing. */
import { decodeRows } from "@gradus/datasets/Parquet"
import { RolloutRow } from "@gradus/domain/RunRecord"
import * as Effect from "effect/Effect"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { request } from "node:http"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Browser, Page } from "playwright-core"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { gradus, type Started, start } from "../gradus.ts"
import { launch } from "./chromium.ts"
import { makeRun } from "./madeRun.ts"
import { faultsInAll, openPage, serveFolder } from "./pages.ts"

const home = mkdtempSync(join(tmpdir(), "gradus-view-"))
const runs = join(home, "runs")
let browser: Browser
let server: Started
let url: string
let run: string
let other: string
let spelt: string

beforeAll(async () => {
  run = await makeRun(runs, 1, { steps: 12, prompts: 4, samples: 5 })
  other = await makeRun(runs, 2, { steps: 3, prompts: 4, samples: 5 })
  spelt = await makeRun(runs, 3, { steps: 1, prompts: 2, samples: 5, characters: true })
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

/** The completions of a step as they lie on disk. */
const rowsOf = async (of: string, step: number) => {
  const file = join(runs, of, "steps", String(step).padStart(6, "0"), "rollouts.parquet")
  return Effect.runPromise(decodeRows(RolloutRow, readFileSync(file)))
}

const open = (hash: string, options: Parameters<Browser["newPage"]>[0] = {}, at = url) =>
  openPage(browser, at, hash, options)

describe("the viewer", () => {
  it("leads from the table of runs to a completion, by clicks", async () => {
    const { page, wrong } = await open("")
    await page.getByRole("link", { name: run }).click()
    await page.getByRole("heading", { name: "Reward parts" }).waitFor()
    await page.locator("figure.chart .drawing svg").nth(3).waitFor()
    await page.getByRole("link", { name: "completions" }).click()
    await page.getByText("240 of 240 completions").waitFor()
    await page.getByLabel("worth").selectOption("unscored")
    await page
      .getByRole("status")
      .filter({ hasText: /^\d of 240|^\d\d of 240/ })
      .waitFor()
    const first = page.getByRole("listitem").first()
    expect(await first.innerText()).toContain("unscored")
    await first.getByRole("link").click()
    await page.locator("article.chosen").waitFor()
    expect(await page.locator("article").count()).toBe(5)
    expect(await page.locator("article.chosen").innerText()).toContain("unscored: judge_failed")
    await page.goBack()
    await page.getByText("of 240 completions").waitFor()
    expect(await page.getByLabel("worth").inputValue()).toBe("unscored")
    expect(wrong).toEqual([])
    await page.close()
  }, 60_000)

  it("shows what was said as text, whatever it says", async () => {
    const { page, wrong } = await open(`#/run/${run}/group/2/${encodeURIComponent("train/2-0")}`)
    await page.locator("article").first().waitFor()
    await page.locator("article summary").first().click()
    expect(await page.locator("main img, main script, main iframe, main svg use, main style").count()).toBe(0)
    expect(await page.locator("article").first().innerText()).toContain("onerror=")
    expect(await page.title()).not.toContain("owned")
    expect(wrong).toEqual([])
    await page.close()
  }, 60_000)

  /** Titles and grounds of all tokens of the first completion. */
  const groundsOf = (page: Page, place: string) =>
    page.locator(`article >> nth=0 >> ${place} span[title]`).evaluateAll((all) => {
      // runs in the page; the declarations here are those of Node
      const { getComputedStyle: styleOf } = globalThis as unknown as {
        readonly getComputedStyle: (of: unknown) => { readonly backgroundColor: string }
      }
      return all.map((one) => [one.getAttribute("title"), styleOf(one).backgroundColor])
    })

  it("colours the tokens in the text where the manifest spells them", async () => {
    const { page, wrong } = await open(`#/run/${spelt}/group/1/${encodeURIComponent("train/1-0")}`)
    const card = page.locator("article").first()
    await card.waitFor()
    const { text } = (await rowsOf(spelt, 1))[0]!
    expect(await card.locator("pre.said bdi").textContent()).toBe(text)
    const grounds = await groundsOf(page, "pre.said bdi")
    expect(grounds.length).toBe([...text].length)
    // every seventh token is unlikely
    const [likely, unlikely] = [grounds[0], grounds[6]]
    expect(likely?.[0]).toContain("-0.010 nats")
    expect(unlikely?.[0]).toContain("-4.000 nats")
    expect(likely?.[1]).toBe("rgba(0, 0, 0, 0)")
    expect(new Set([likely?.[1], unlikely?.[1]]).size).toBe(2)
    // the first completion was cut, the second was not
    expect(await card.innerText()).toContain("cut at the token limit")
    expect(await card.locator("pre.said").innerText()).toMatch(/cut here$/)
    expect(await page.locator("article").nth(1).innerText()).not.toContain("cut")
    expect(await page.locator(".strip").count()).toBe(0)
    expect(wrong).toEqual([])
    await page.close()
  }, 60_000)

  it("shows the text and a strip of tokens where only the policy's tokenizer could spell them", async () => {
    const { page, wrong } = await open(`#/run/${run}/group/1/${encodeURIComponent("train/1-0")}`)
    await page.locator("article").first().waitFor()
    const { text } = (await rowsOf(run, 1))[0]!
    expect(await page.locator("article pre.said bdi").first().textContent()).toBe(text)
    const grounds = await groundsOf(page, ".strip")
    expect(grounds.length).toBe(Math.ceil(text.length / 5))
    expect(grounds[6]?.[0]).toBe("token 1006, -4.000 nats, p 0.018")
    expect(grounds[0]?.[1]).not.toBe(grounds[6]?.[1])
    expect(wrong).toEqual([])
    await page.close()
  }, 60_000)

  it("sets the judge beside a rule, and leads to what they differ on", async () => {
    const { page, wrong } = await open(`#/run/${run}/judge`)
    // of the first question of each of three steps the judge takes two wrong answers for right and a right one for wrong
    const apart = page.locator("section", { has: page.getByRole("heading", { name: "Judge and rule differ (9)" }) })
    await apart.waitFor()
    const said = (await apart.locator("li").allInnerTexts()).map((text) => text.split(";")[0])
    expect(said).toEqual([
      ...[1, 2, 3].flatMap((step) =>
        [0, 2].map((k) => `step ${step}, train/${step}-0, ${k}: the judge says yes, the rule says wrong`)
      ),
      ...[1, 2, 3].map((step) => `step ${step}, train/${step}-0, 1: the judge says no, the rule says right`)
    ])
    const rows = (await Promise.all([1, 2, 3].map((step) => rowsOf(run, step)))).flat()
    const unread = rows.filter(({ value }) => value === null).length
    const facts = (await page.locator("dl.facts").innerText()).replaceAll(/\s+/g, " ")
    expect(facts).toContain(`unreadable ${unread} (`)
    expect(facts).toContain(`graded by the rule too ${60 - unread} `)
    expect(facts).toContain(`agreement ${((100 * (51 - unread)) / (60 - unread)).toFixed(1)} %`)
    expect(facts).toContain("cost 0.0600")
    await page.getByRole("heading", { name: `Not read as yes or no (${unread})` }).waitFor()
    // on the first completion of each step that could not be read the judges were split
    const split = new Set(rows.filter(({ value }) => value === null).map(({ step }) => step)).size
    expect(split).toBeGreaterThan(0)
    await page.getByRole("heading", { name: `Calls that contradict each other (${split})` }).waitFor()
    await page.getByText("3 judges vote: judge, second, third").waitFor()
    await page.locator(".charts figure.chart .drawing svg").nth(2).waitFor()
    const titles = await page.locator("figure.chart h2").allInnerTexts()
    expect(titles).toEqual(["Judge against rule", "Verdicts", "Judge cost"])
    await apart.getByRole("link").nth(6).click()
    await page.locator("article.chosen", { hasText: "k 1" }).waitFor()
    await page.getByRole("heading", { name: "Group of train/1-0 in step 1" }).waitFor()
    expect(wrong).toEqual([])
    await page.close()
  }, 60_000)

  it("moves through the curriculum and keeps the step in the address", async () => {
    const { page, wrong } = await open(`#/run/${run}/curriculum?step=3`)
    await page.getByText("step 3 of 12").waitFor()
    await page.getByRole("slider").press("ArrowRight")
    await page.getByText("step 4 of 12").waitFor()
    expect(page.url()).toContain("step=4")
    await page.locator(".drawing svg").first().waitFor()
    expect(wrong).toEqual([])
    await page.close()
  }, 60_000)

  it("sets runs side by side, and says only what differs", async () => {
    const { page, wrong } = await open("")
    await page.getByLabel(`choose ${run}`).check()
    await page.getByLabel(`choose ${other}`).check()
    await page.getByRole("link", { name: "compare 2 runs" }).click()
    await page.locator(".drawing svg").first().waitFor()
    const settings = await page.locator("tbody th").allInnerTexts()
    expect(settings.toSorted()).toEqual(["questions.train", "seed", "train.steps"])
    expect(wrong).toEqual([])
    await page.close()
  }, 60_000)

  it("finds runs, questions and completions, and keeps the text in the address", async () => {
    const { page, wrong } = await open("")
    await page.getByRole("link", { name: "search" }).click()
    await page.getByLabel("in runs").fill("TRAIN/2-1")
    await page.keyboard.press("Enter")
    const headings = () => page.getByRole("heading", { level: 2 }).allInnerTexts()
    // of the two runs with a second step; no completion says the name of its question
    await expect.poll(headings, { timeout: 20_000 }).toEqual(["Runs (0)", "Questions (2)", "Completions (0)"])
    await page.goto(`${url}/#/search?text=onerror`)
    // the first of four questions of each step has the text: of 12 steps and of 3
    await expect
      .poll(headings, { timeout: 20_000 })
      .toEqual(["Runs (0)", "Questions (16)", "Completions (the first 50)"])
    expect(await page.locator("main img").count()).toBe(0)
    await page.goto(`${url}/#/search?text=${other}`)
    await page.getByRole("link", { name: other }).click()
    await page.getByRole("heading", { name: other }).waitFor()
    expect(wrong).toEqual([])
    await page.close()
  }, 60_000)

  it("is reached and left by keyboard", async () => {
    const { page } = await open("")
    await page.getByRole("link", { name: run }).waitFor()
    await page.keyboard.press("Tab")
    expect(await page.locator(":focus").textContent()).toBe("to the content")
    await page.getByRole("link", { name: run }).focus()
    await page.keyboard.press("Enter")
    await page.getByRole("heading", { name: run }).waitFor()
    await page.close()
  }, 60_000)

  it("has no fault that axe finds, light or dark, wide or narrow", async () => {
    const ofRun = (question: string) => [
      `#/run/${run}`,
      `#/run/${run}/curriculum`,
      `#/run/${run}/completions`,
      `#/run/${run}/judge`,
      `#/run/${run}/group/2/${question}`,
      `#/run/${run}/question/${question}`,
      `#/run/${run}/files`
    ]
    const spelled = `#/run/${spelt}/group/1/${encodeURIComponent("train/1-0")}`
    const pages = ["", ...ofRun(encodeURIComponent("train/2-0")), spelled, "#/search?text=onerror"]
    for (const hash of [...pages, `#/compare?runs=${run},${other}`]) {
      const { page } = await open(hash)
      expect(await faultsInAll(page), hash).toEqual([])
      await page.close()
    }
  }, 240_000)

  it("is a static folder as well, read from any server", async () => {
    const folder = join(home, "bundle")
    expect((await gradus("view", "--runs", runs, "--bundle", folder, "--json")).code).toBe(0)
    const { at, close } = await serveFolder(folder)
    const { page, wrong } = await open(`#/run/${run}`, {}, at)
    await page.locator(".drawing svg").first().waitFor()
    expect(wrong).toEqual([])
    await page.close()
    close()
  }, 60_000)
})

describe("the viewer's server", () => {
  const get = (path: string, headers: Record<string, string> = {}, method = "GET") =>
    fetch(`${url}${path}`, { headers, method })

  /** As `fetch`, with a Host of one's own, which fetch does not let anybody say. */
  const raw = (path: string, headers: Record<string, string>) =>
    new Promise<{ readonly status: number | undefined; readonly body: string }>((resolve, reject) => {
      const asked = request(`${url}${path}`, { headers }, (answer) => {
        let body = ""
        answer.on("data", (part) => (body += String(part)))
        answer.on("end", () => resolve({ status: answer.statusCode, body }))
      })
      asked.on("error", reject)
      asked.end()
    })

  it("answers to its own name only, whatever resolves to its address", async () => {
    const { port } = new URL(url)
    for (const host of ["evil.example", `evil.example:${port}`, `127.0.0.1.evil.example:${port}`])
      for (const path of ["/data/index.json", `/data/runs/${run}/resolved.json`, "/"]) {
        const { body, status } = await raw(path, { host })
        expect(status, `${host} ${path}`).toBe(403)
        expect(JSON.parse(body).code).toBe("foreign_host")
        expect(body).not.toContain("made")
      }
    const own = await raw("/data/index.json", { host: `localhost:${port}` })
    expect(own.status).toBe(200)
    expect(own.body).toContain(run)
  })

  it("answers its own pages only, and not those of another port of this machine", async () => {
    const { port } = new URL(url)
    const others = ["https://example.org", "null", `https://127.0.0.1:${port}`, `http://localhost:${port}`]
    for (const origin of [...others, "http://127.0.0.1", `http://127.0.0.1:${Number(port) - 1}`]) {
      const { body, status } = await raw("/data/index.json", { origin })
      expect(status, origin).toBe(403)
      expect(JSON.parse(body).code).toBe("foreign_origin")
    }
    expect((await get("/data/index.json", { origin: url })).status).toBe(200)
    const local = { host: `localhost:${port}`, origin: `http://localhost:${port}` }
    expect((await raw("/data/index.json", local)).status).toBe(200)
  })

  it("only reads", async () => {
    for (const method of ["POST", "PUT", "DELETE"]) {
      const answer = await get("/data/index.json", {}, method)
      expect(answer.status, method).toBe(405)
      expect(await answer.json()).toMatchObject({ code: "read_only" })
    }
  })

  it("gives no file that is not a run's own", async () => {
    const paths = [
      "..%2f..%2fetc/passwd",
      `${run}/trainer/ledger.db`,
      `${run}/../${run}/resolved.json%00`,
      ".artifacts/x"
    ]
    for (const path of paths) expect((await get(`/data/runs/${path}`)).status, path).toBe(404)
  })

  it("gives parts of files", async () => {
    const part = await get(`/data/runs/${run}/plan.parquet`, { range: "bytes=0-3" })
    expect(part.status).toBe(206)
    expect(await part.text()).toBe("PAR1")
  })
})
