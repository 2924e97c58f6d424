/** The files of a run, and its manifest with everything that it left unsaid. */
import { count } from "@gradus/analytics/report/Format"
import type { LoadedRun } from "../data/Run.ts"

export const FilesPage = ({ loaded: { files, record, run } }: { loaded: LoadedRun }) => (
  <>
    <details>
      <summary>resolved manifest</summary>
      <pre>{JSON.stringify(record.manifest, null, 2)}</pre>
    </details>
    <table>
      <caption>{files.size} files</caption>
      <tbody>
        {[...files]
          .filter(([path]) => !path.startsWith("steps/") || files.size < 200)
          .map(([path, bytes]) => (
            <tr key={path}>
              <th scope="row">
                <a href={`data/runs/${run}/${path}`} download>
                  {path}
                </a>
              </th>
              <td class="number">{count(bytes)} bytes</td>
            </tr>
          ))}
      </tbody>
    </table>
  </>
)
