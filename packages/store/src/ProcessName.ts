/** How a process is called where another one is told who holds something: host and process id. */
import { hostname } from "node:os"
import { pid } from "node:process"

export const processName = `${hostname()}, process ${pid}`
