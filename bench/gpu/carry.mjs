// Packs what a GPU machine without a network lacks into .gpu/N folders, each small enough for one transfer: Node, the command line as a bundle, wheels, the
// model of experiments/smollm2, and (VLLM=<site.tar.xz>) a packed vLLM. `bash bench/gpu/unpack.sh` puts it together there.
//   node bench/gpu/carry.mjs
import { execFileSync } from "node:child_process"
import { createHash } from "node:crypto"
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { rolldown } from "rolldown"

const root = join(import.meta.dirname, "../..")
const out = join(root, ".gpu")
const place = join(root, ".cache/gpu")
const MOST = 54 << 20
// pure Python but for zstandard and what FlashAttention 4 brings; the machine's Python is 3.12
const WHEELS = [
  "zstandard==0.25.0",
  "prometheus-client==0.26.0",
  "gguf==0.19.0",
  "accelerate==1.15.0",
  "flash-attn-4==4.0.0b36",
  "nvidia-cutlass-dsl==4.8.1",
  "nvidia-cutlass-dsl-libs-core==4.8.1",
  "nvidia-cutlass-dsl-libs-base==4.8.1",
  "nvidia-cutlass-dsl-libs-cu13==4.8.1",
  "quack-kernels==0.6.5",
  "torch-c-dlpack-ext==0.1.5",
  "apache-tvm-ffi==0.1.15.post2",
  "einops==0.8.2"
]
/** Other packages are other archives. */
const KEY = createHash("sha256").update(WHEELS.join("\n")).digest("hex").slice(0, 8)
/** As large as all else together: what compiles FlashAttention 4. */
const LARGE = "nvidia_cutlass_dsl_libs_cu13"
// looked for beside the bundle: undici has files of its own; resvg draws reports, which nobody does there
const APART = ["undici", "@resvg/resvg-js"]

const run = (command, ...args) => execFileSync(command, args, { stdio: ["ignore", "inherit", "inherit"] })
const packed = (name, folder, ...entries) => {
  const file = join(place, `${name}.tar.xz`)
  if (!existsSync(file)) run("tar", "-C", folder, "-I", "xz -3 -T0", "-cf", file, ...entries)
  return file
}

const programs = async () => {
  const folder = join(place, "programs")
  rmSync(folder, { recursive: true, force: true })
  rmSync(join(place, "programs.tar.xz"), { force: true })
  mkdirSync(join(folder, "node_modules"), { recursive: true })
  const bundle = await rolldown({
    input: join(root, "apps/cli/src/main.ts"),
    platform: "node",
    external: APART,
    logLevel: "silent"
  })
  // as deep as the source: the program looks for the trainer from where it lies
  await bundle.write({ dir: join(folder, "apps/cli/bundle"), format: "esm" })
  await bundle.close()
  cpSync(join(root, "node_modules/undici"), join(folder, "node_modules/undici"), { recursive: true })
  return packed("programs", folder, ".")
}

const node = () => {
  const folder = join(place, "node")
  mkdirSync(folder, { recursive: true })
  cpSync(process.execPath, join(folder, "node"))
  return packed("node", folder, "node")
}

const wheels = () => {
  const folder = join(place, `wheels-${KEY}`)
  if (!existsSync(folder)) {
    const kinds = ["2_28", "2_24", "2_17"].flatMap((version) => ["--platform", `manylinux_${version}_x86_64`])
    const python = join(root, "apps/trainer/.venv/bin/python")
    const form = ["--only-binary=:all:", "--python-version", "3.12", "--implementation", "cp"]
    const pip = ["-m", "pip", "download", "-q", "--no-deps", "--disable-pip-version-check"]
    run(python, ...pip, ...form, ...kinds, "--platform", "manylinux2014_x86_64", "-d", folder, ...WHEELS)
  }
  return ["site", "kernels"].map((name) => {
    const unpacked = join(place, name)
    rmSync(unpacked, { recursive: true, force: true })
    mkdirSync(unpacked, { recursive: true })
    for (const wheel of readdirSync(folder))
      if (wheel.startsWith(LARGE) === (name === "kernels")) run("unzip", "-qo", join(folder, wheel), "-d", unpacked)
    return [`${name}.tar.xz`, packed(`${name}-${KEY}`, unpacked, ".")]
  })
}

/** What is needed first comes first; a file that is too long for one transfer goes on in the next. */
const cut = (files) => {
  rmSync(out, { recursive: true, force: true })
  let [folder, room] = [0, 0]
  for (const [name, file] of files) {
    const bytes = readFileSync(file)
    for (let at = 0, part = 0; at < bytes.length; part++) {
      if (room <= 0) {
        mkdirSync(join(out, String(++folder)), { recursive: true })
        room = MOST
      }
      const piece = bytes.subarray(at, at + room)
      writeFileSync(join(out, String(folder), `${name}.${String(part).padStart(2, "0")}`), piece)
      at += piece.length
      room -= piece.length
    }
  }
  for (let i = 1; i <= folder; i++)
    console.log(
      i,
      readdirSync(join(out, String(i)))
        .map((name) => `${name} ${(statSync(join(out, String(i), name)).size / 1e6).toFixed(1)} MB`)
        .join(", ")
    )
}

mkdirSync(place, { recursive: true })
const model = join(root, ".cache/models")
cut([
  ["node.tar.xz", node()],
  ["programs.tar.xz", await programs()],
  ...wheels(),
  ...(process.env.VLLM === undefined ? [] : [["vllm.tar.xz", process.env.VLLM]]),
  ["model.tar.xz", packed("model", model, "SmolLM2-135M-Instruct.Q4_1.gguf")]
])
