/** A real Trackio server from its package, for one test. */
import { onTestFinished } from "vitest"
import { directory } from "../gradus.ts"
import { freePort, startPython } from "./trackerVenv.ts"

/** Starts it with a token for writing and waits until it answers. */
export const trackioServer = async (token: string) => {
  const folder = directory()
  const port = await freePort()
  const show = `host="127.0.0.1", server_port=${port}, open_browser=False, share=False, block_thread=True`
  const environment = { TRACKIO_DIR: folder, TRACKIO_WRITE_TOKEN: token, HF_HUB_OFFLINE: "1" }
  const child = startPython(["-c", `import trackio; trackio.show(${show})`], environment, folder)
  onTestFinished(() => void child.kill("SIGKILL"))
  // nobody reads what it says
  child.stdout?.resume()
  const url = `http://127.0.0.1:${port}`
  const ask = async (question: string, body: object): Promise<any> => {
    const response = await fetch(`${url}/api/${question}`, { method: "POST", body: JSON.stringify(body) })
    if (!response.ok) throw new Error(`${response.status} ${await response.text()}`)
    const { data }: any = await response.json()
    return data
  }
  const answers = () =>
    ask("get_all_projects", {}).then(
      () => true,
      () => false
    )
  while (!(await answers())) {
    if (child.exitCode !== null) throw new Error(`Trackio ended with ${child.exitCode} before it answered`)
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  return { url, ask }
}
