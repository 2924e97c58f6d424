/** A real MLflow server from its package, and questions to it over its REST interface. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { freePort, startPython } from "./trackerVenv.ts"

const asked = async (url: string, init?: RequestInit): Promise<any> => {
  const response = await fetch(url, init)
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`)
  return response.json()
}

export type MlflowServer = Awaited<ReturnType<typeof startMlflow>>

/**
 * Starts it over a new SQLite file and waits until it answers: the application that `mlflow server` serves, in one process, since that command
 * imports MLflow twice and takes twice the time.
 */
export const startMlflow = async () => {
  const folder = mkdtempSync(join(tmpdir(), "gradus-mlflow-"))
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const environment = {
    _MLFLOW_SERVER_FILE_STORE: `sqlite:///${folder}/mlflow.db`,
    _MLFLOW_SERVER_ARTIFACT_ROOT: folder,
    MLFLOW_DISABLE_TELEMETRY: "true"
  }
  const arguments_ = ["-W", "ignore", "-m", "uvicorn", "--log-level", "error", "--port", String(port)]
  const child = startPython([...arguments_, "mlflow.server.fastapi_app:app"], environment, folder)
  // the first question about experiments makes the tables, which takes longer than a tracker would wait
  const answers = () =>
    fetch(`${url}/api/2.0/mlflow/experiments/get?experiment_id=0`).then(
      ({ ok }) => ok,
      () => false
    )
  while (!(await answers())) {
    if (child.exitCode !== null) throw new Error(`MLflow ended with ${child.exitCode} before it answered`)
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  const kill = () => child.kill("SIGKILL")
  const post = (path: string, body: unknown) =>
    asked(`${url}/api/2.0/mlflow/${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body)
    })
  return {
    url,
    kill,
    close: () => {
      kill()
      rmSync(folder, { recursive: true, force: true })
    },
    /** The runs of an experiment; none before the experiment is there. */
    runs: async (experiment: string): Promise<ReadonlyArray<any>> => {
      const { experiments = [] } = await post("experiments/search", { max_results: 100 })
      const found = experiments.find(({ name }: { name: string }) => name === experiment)
      if (found === undefined) return []
      return (await post("runs/search", { experiment_ids: [found.experiment_id] })).runs ?? []
    },
    history: async (run: string, key: string): Promise<ReadonlyArray<any>> => {
      const query = new URLSearchParams({ run_id: run, metric_key: key, max_results: "1000" })
      return (await asked(`${url}/api/2.0/mlflow/metrics/get-history?${query}`)).metrics ?? []
    }
  }
}
