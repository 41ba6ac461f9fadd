// Tables kept in the page's IndexedDB, one a device. Node has none: there the command line keeps a file.

import { InputError } from "../errors.ts";
import type { Device } from "../gpu/device.ts";
import { hasIndexedDb, inTransaction } from "../storage/indexedDb.ts";
import { parseTuning, tuningKey, type TuningTable } from "./table.ts";

const PLACE = { database: "webgpu-quant", store: "tuning" };

function needIndexedDb(verb: string): void {
  if (hasIndexedDb()) return;
  throw new InputError(
    `${verb}: this runtime has no IndexedDB. Keep the table yourself: it is plain JSON.`,
  );
}

/** Keep `table` for its device, in place of an older one. Throws InputError where there is no IndexedDB. */
export async function saveTuning(table: TuningTable): Promise<void> {
  needIndexedDb("saveTuning");
  await inTransaction(PLACE, "readwrite", (store) => store.put(table, table.key));
}

/** The table kept for `device` and this version of the library, if there is one. */
export async function loadTuning(device: Device): Promise<TuningTable | undefined> {
  needIndexedDb("loadTuning");
  const key = tuningKey(device.facts);
  const found: unknown = await inTransaction(PLACE, "readonly", (store) => store.get(key));
  return found === undefined ? undefined : parseTuning(found);
}
