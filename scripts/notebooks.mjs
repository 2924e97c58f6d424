// Executes the notebooks headless: npm run notebooks -- --run DIR [--sweep DIR] [--out DIR] [NOTEBOOK...]. Fails when a cell raises, or when one that is tagged
// `shows` shows nothing. `--kernel` only writes the Deno kernel's description, for JupyterLab and VS Code, and says how they find it.
import { spawnSync } from "node:child_process"
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs"
import { dirname, join, resolve } from "node:path"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const jupyter = join(root, ".cache/jupyter")

const stop = (sentence) => {
  console.error(`notebooks: ${sentence}`)
  process.exit(2)
}

/** Deno's own program. Set-up brings the one for Linux on x64; elsewhere somebody names the same version. */
const deno = () => {
  const named = process.env["GRADUS_DENO"]
  if (named !== undefined) return named
  const own = join(root, "node_modules/@deno/linux-x64-glibc/deno")
  if (process.platform === "linux" && process.arch === "x64" && existsSync(own)) return own
  return stop("there is no Deno in node_modules: run `npm run setup`, or name a Deno 2.7.14 in GRADUS_DENO")
}

/** Where a kernel is described is found by JUPYTER_PATH; Deno's own installer writes into the home directory alone. */
const writeKernel = () => {
  const folder = join(jupyter, "kernels/deno")
  mkdirSync(folder, { recursive: true })
  const argv = [deno(), "jupyter", "--kernel", "--conn", "{connection_file}"]
  const env = { DENO_NO_UPDATE_CHECK: "1", NO_COLOR: "1" }
  writeFileSync(
    join(folder, "kernel.json"),
    `${JSON.stringify({ argv, display_name: "Deno", language: "typescript", env }, null, 2)}\n`
  )
}

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    run: { type: "string" },
    sweep: { type: "string" },
    out: { type: "string", default: join(root, ".cache/notebooks") },
    kernel: { type: "boolean", default: false }
  }
})
writeKernel()
if (values.kernel) {
  console.log(`export JUPYTER_PATH=${jupyter}`)
  process.exit(0)
}
const python = process.env["GRADUS_PYTHON"] ?? join(root, "apps/trainer/.venv/bin/python")
if (!existsSync(python)) stop(`${python} is not there: run \`npm run setup\` first`)
const folder = join(root, "notebooks")
const all = readdirSync(folder).filter((name) => name.endsWith(".ipynb"))
const notebooks =
  positionals.length > 0 ? positionals.map((one) => resolve(one)) : all.map((name) => join(folder, name))
// kernels resolve packages, and Python its modules, from where they run: a notebook that lies elsewhere is run as if it lay in the folder
const args = [join(root, "scripts/notebooks.py"), resolve(values.out), folder, ...notebooks]
const { status } = spawnSync(python, args, {
  stdio: "inherit",
  env: {
    ...process.env,
    JUPYTER_PATH: jupyter,
    ...(values.run === undefined ? {} : { GRADUS_RUN: resolve(values.run) }),
    ...(values.sweep === undefined ? {} : { GRADUS_SWEEP: resolve(values.sweep) })
  }
})
process.exit(status ?? 1)
