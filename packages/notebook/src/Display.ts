/** Where a cell's output goes. A bundle holds one thing in several forms, by MIME type; a front end shows the richest one that it knows. */

export type Bundle = Readonly<Record<string, unknown>>

export type Display = (bundle: Bundle) => Promise<void>

interface Jupyter {
  readonly display: (bundle: Bundle, options: { readonly raw: true }) => Promise<void>
}

declare const Deno: { readonly jupyter?: Jupyter } | undefined

/** Shows in the cell that runs on the Deno kernel. Fails elsewhere. What a cell returns is not used: kernels of some versions lose it. */
export const kernelDisplay: Display = async (bundle) => {
  const jupyter = typeof Deno === "undefined" ? undefined : Deno.jupyter
  if (jupyter === undefined) throw new Error("there is nothing to show on: this is not a cell of the Deno kernel")
  await jupyter.display(bundle, { raw: true })
}
