// The page's IndexedDB, as promises: one request in one transaction, which is there in full or not at all.

/** One object store of a database of its own, without key paths. */
export interface Place {
  readonly database: string;
  readonly store: string;
}

/** Whether this runtime has IndexedDB: pages and workers do, Node does not. */
export function hasIndexedDb(): boolean {
  return (globalThis as { indexedDB?: IDBFactory }).indexedDB !== undefined;
}

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("IndexedDB gave no reason"));
  });
}

/** What `work` gives, once its transaction is complete; where it fails, nothing of it has happened. */
export async function inTransaction<T>(
  { database: name, store }: Place,
  mode: IDBTransactionMode,
  work: (store: IDBObjectStore) => IDBRequest<T>,
): Promise<T> {
  const open = indexedDB.open(name, 1);
  open.onupgradeneeded = () => open.result.createObjectStore(store);
  const database = await done(open);
  try {
    const transaction = database.transaction(store, mode);
    const finished = new Promise<void>((resolve, reject) => {
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(transaction.error ?? new Error("IndexedDB aborted"));
    });
    const [result] = await Promise.all([done(work(transaction.objectStore(store))), finished]);
    return result;
  } finally {
    database.close();
  }
}
