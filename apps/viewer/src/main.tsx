/** The viewer: pages over the files of runs. */
import { variables } from "@gradus/analytics/Palette"
import { render } from "preact"
import { App } from "./App.tsx"

// the colours of charts and report, by role, so that drawings follow the theme
const colours = document.createElement("style")
colours.textContent = `:root { ${variables("light")} } @media (prefers-color-scheme: dark) { :root { ${variables("dark")} } }`
document.head.append(colours)

const place = document.getElementById("app")
if (place !== null) render(<App />, place)
