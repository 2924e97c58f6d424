/** `${NAME}` is never expanded, so it is refused where someone may expect that it is. */
import { issueAt } from "./internal/IssueAt.ts"
import type { ManifestIssue } from "./ManifestInvalid.ts"
import { formatPath, type Path, type Tree } from "./Tree.ts"

/** Texts that mean themselves: a dollar sign and a brace may stand there. */
const literal = /^(description|prompt|policy\.tokenizer)\b/

/** Finds the texts that look like a reference to the environment, and says so without repeating them. */
export const unexpanded = (tree: Tree, path: Path = []): ReadonlyArray<ManifestIssue> => {
  if (tree.kind === "list") return tree.items.flatMap((item, i) => unexpanded(item, [...path, i]))
  if (tree.kind === "map") return [...tree.entries].flatMap(([key, entry]) => unexpanded(entry.node, [...path, key]))
  if (typeof tree.value !== "string" || !/\$\{|\$\(/.test(tree.value) || literal.test(formatPath(path))) return []
  return [issueAt(tree.at, path, "${…} is not expanded; write the value, or { env: NAME } for a secret")]
}
