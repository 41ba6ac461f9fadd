// Tables kept in the page's IndexedDB, one a device. Node has none: there the command line keeps a file.

import { InputError } from "../errors.ts";
import type { Device } from "../gpu/device.ts";
import { parseTuning, tuningKey, type TuningTable } from "./table.ts";

const DATABASE = "webgpu-quant";
const STORE = "tuning";

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("IndexedDB gave no reason"));
  });
}

async function withStore<T>(
  verb: string,
  mode: IDBTransactionMode,
  work: (store: IDBObjectStore) => IDBRequest<T>,
): Promise<T> {
  const { indexedDB } = globalThis as { indexedDB?: IDBFactory };
  if (!indexedDB) {
    throw new InputError(
      `${verb}: this runtime has no IndexedDB. Keep the table yourself: it is plain JSON.`,
    );
  }
  const open = indexedDB.open(DATABASE, 1);
  open.onupgradeneeded = () => open.result.createObjectStore(STORE);
  const database = await done(open);
  try {
    const transaction = database.transaction(STORE, mode);
    const finished = new Promise<void>((resolve, reject) => {
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(transaction.error ?? new Error("IndexedDB aborted"));
    });
    const [result] = await Promise.all([done(work(transaction.objectStore(STORE))), finished]);
    return result;
  } finally {
    database.close();
  }
}

/** Keep `table` for its device, in place of an older one. Throws InputError where there is no IndexedDB. */
export async function saveTuning(table: TuningTable): Promise<void> {
  await withStore("saveTuning", "readwrite", (store) => store.put(table, table.key));
}

/** The table kept for `device` and this version of the library, if there is one. */
export async function loadTuning(device: Device): Promise<TuningTable | undefined> {
  const key = tuningKey(device.facts);
  const found: unknown = await withStore("loadTuning", "readonly", (store) => store.get(key));
  return found === undefined ? undefined : parseTuning(found);
}
