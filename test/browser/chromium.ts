/** A real headless Chromium without root: the system's where there is one, else the one inside an npm package, unpacked into the project's cache. */
import { inflate } from "@sparticuz/chromium"
import { spawnSync } from "node:child_process"
import { createRequire } from "node:module"
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { type Browser, chromium } from "playwright-core"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("../..", import.meta.url))
const PACKAGE = "@sparticuz/chromium"

const onPath = (): string | undefined =>
  ["chromium", "chromium-browser", "google-chrome"]
    .map((name) => spawnSync("sh", ["-c", `command -v ${name}`], { encoding: "utf8" }).stdout.trim())
    .find((path) => path !== "")

/** Unpacks browser, libraries and fonts once; a folder that is there is whole, since it was renamed. */
const unpacked = async (): Promise<string> => {
  const main = createRequire(import.meta.url).resolve(PACKAGE)
  const home = dirname(dirname(main))
  const { version } = JSON.parse(readFileSync(join(home, "package.json"), "utf8")) as { readonly version: string }
  const folder = join(root, ".cache/chromium", version)
  if (existsSync(folder)) return folder
  mkdirSync(dirname(folder), { recursive: true })
  const aside = mkdtempSync(`${folder}.`)
  const before = process.env["TMPDIR"]
  // the package unpacks below the temporary directory: for this moment that is ours
  process.env["TMPDIR"] = aside
  try {
    for (const name of ["chromium.br", "fonts.tar.br", "swiftshader.tar.br", "al2023.tar.br"])
      await inflate(join(home, "bin", name))
  } finally {
    if (before === undefined) delete process.env["TMPDIR"]
    else process.env["TMPDIR"] = before
  }
  // the package's own configuration looks for fonts below fixed paths; without any font the browser dies at the first input
  writeFileSync(join(aside, "fonts/fonts.conf"), fontsConf(folder))
  if (existsSync(folder)) rmSync(aside, { recursive: true })
  else renameSync(aside, folder)
  return folder
}

const fontsConf = (folder: string): string =>
  `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>${folder}/fonts/fonts</dir>
  <dir>/usr/share/fonts</dir>
  <cachedir>${folder}/font-cache</cachedir>
</fontconfig>
`

/** Starts the browser. Fails where there is none: tests of pages are not skipped. */
export const launch = async (): Promise<Browser> => {
  const own = onPath()
  const args = ["--no-sandbox", "--disable-gpu", "--font-render-hinting=none"]
  if (own !== undefined) return chromium.launch({ executablePath: own, args })
  const folder = await unpacked()
  const libraries = [join(folder, "al2023/lib"), process.env["LD_LIBRARY_PATH"]].filter((one) => one !== undefined)
  return chromium.launch({
    executablePath: join(folder, "chromium"),
    args: [...args, "--headless=shell", "--no-zygote"],
    env: {
      ...process.env,
      LD_LIBRARY_PATH: libraries.join(":"),
      FONTCONFIG_PATH: join(folder, "fonts"),
      HOME: folder
    } as Record<string, string>
  })
}
