/** A vega-lite chart in the page's colours, with tooltips and its spec to take away. Vega is loaded when the first chart is shown. */
import { palette } from "@gradus/analytics/Palette"
import { useEffect, useRef, useState } from "preact/hooks"
import type { TopLevelSpec } from "vega-lite"

/** Vega's level of messages: errors. That our specs are of version 5 is known. */
const ERRORS = 1

const roles = new Map(Object.entries(palette).map(([role, { light }]) => [light.toLowerCase(), role]))

/** Replaces the colours of the drawing by the variables of their roles, so that it follows the theme. The ground is the figure's own. */
const follow = (drawing: Element): void => {
  for (const svg of drawing.querySelectorAll("svg")) svg.style.removeProperty("background-color")
  for (const name of ["fill", "stroke"])
    for (const element of drawing.querySelectorAll(`[${name}]`)) {
      const role = roles.get(element.getAttribute(name)?.toLowerCase() ?? "")
      if (role !== undefined) element.setAttribute(name, `var(--${role})`)
    }
}

export interface ChartProps {
  readonly title: string
  readonly caption?: string
  readonly spec: TopLevelSpec
}

export const Chart = ({ caption, spec, title }: ChartProps) => {
  const place = useRef<HTMLDivElement>(null)
  const [problem, setProblem] = useState<string | undefined>()
  const key = JSON.stringify(spec)
  useEffect(() => {
    const element = place.current
    if (element === null) return
    let over = false
    let finish: (() => void) | undefined
    const draw = async (): Promise<void> => {
      try {
        const { default: embed } = await import("vega-embed")
        if (over) return
        // `ast`: expressions are interpreted, so that the page needs no eval
        const drawn = await embed(element, spec, {
          renderer: "svg",
          actions: false,
          ast: true,
          mode: "vega-lite",
          logLevel: ERRORS
        })
        finish = () => drawn.finalize()
        if (over) return finish()
        follow(element)
        setProblem(undefined)
      } catch (cause) {
        if (!over) setProblem(cause instanceof Error ? cause.message : String(cause))
      }
    }
    void draw()
    return () => {
      over = true
      finish?.()
    }
  }, [key])
  return (
    <figure class="chart">
      <figcaption>
        <h2>{title}</h2>
      </figcaption>
      <div role="img" aria-label={`${title}. ${caption ?? ""}`}>
        <div class="drawing" ref={place} aria-hidden="true" />
      </div>
      {problem !== undefined && <p class="failure">{problem}</p>}
      {caption !== undefined && <p class="caption">{caption}</p>}
    </figure>
  )
}
