import * as Effect from "effect/Effect"
import { join } from "node:path"
import * as SqliteStore from "../../src/sqlite/SqliteStore.ts"
import { storeContract } from "../StoreContract.ts"
import { directory } from "../stores.ts"

storeContract(
  "one file",
  Effect.map(directory, (path) => (times) => SqliteStore.layer({ file: join(path, "store.sqlite"), ...times }))
)
