// Where checkpoints are kept: numbered by step, the newest few. One idea: a checkpoint is there in full or not at all,
// and an old one goes only when a newer one is safe. The page's store is IndexedDB; Node's is a folder
// (src/checkpointFolder.ts).

import { CheckpointError } from "../errors.ts";
import { hasIndexedDb, inTransaction } from "../storage/indexedDb.ts";
import { decodeCheckpoint, type Checkpoint } from "./checkpoint.ts";

export interface CheckpointStore {
  /** Keep `bytes` as the checkpoint of `step`. Once it is safe, older ones beyond the number kept go, and those of
   *  later steps, which training that went back does not come from. Throws CheckpointError "full" where there is no
   *  room, "store" where it cannot be written; what was there is still there then. */
  put(step: number, bytes: Uint8Array): Promise<void>;
  /** The steps of all checkpoints, newest first. */
  steps(): Promise<number[]>;
  get(step: number): Promise<Uint8Array | undefined>;
  /** Forget all of them. */
  clear(): Promise<void>;
}

export interface KeepOptions {
  /** Checkpoints kept; 2 unless told, so that one is left where the newest is damaged. */
  readonly keep?: number;
}

export const KEPT = 2;

/** Of `steps`, newest first, those that go when `put` keeps `keep` including `step`. */
export function outdated(steps: readonly number[], step: number, keep: number): number[] {
  const before = steps.filter((each) => each < step);
  return [...steps.filter((each) => each > step), ...before.slice(Math.max(0, keep - 1))];
}

export interface Found {
  /** The newest that is whole; none where there is none. */
  readonly checkpoint: Checkpoint | undefined;
  /** Newer ones that are damaged. */
  readonly damaged: readonly { readonly step: number; readonly error: CheckpointError }[];
}

/** The newest checkpoint of `store` that is whole. Throws CheckpointError "model" or "version" where the newest whole
 *  one is of another model or version: to go over it would be to lose it. */
export async function latestCheckpoint(store: CheckpointStore, model: string): Promise<Found> {
  const damaged: { step: number; error: CheckpointError }[] = [];
  for (const step of await store.steps()) {
    const bytes = await store.get(step);
    if (bytes === undefined) continue;
    try {
      return { checkpoint: decodeCheckpoint(bytes, model), damaged };
    } catch (error) {
      if (!(error instanceof CheckpointError) || error.reason !== "damaged") throw error;
      damaged.push({ step, error });
    }
  }
  return { checkpoint: undefined, damaged };
}

const FULL = "Free some of the disk, keep fewer checkpoints, or store them less often.";

/** A failure of storing, as the caller can act on it. */
export function storeError(where: string, error: unknown): CheckpointError {
  const {
    name = "",
    code = "",
    message = String(error),
  } = error as Partial<Record<"name" | "code" | "message", string>>;
  const isFull = name === "QuotaExceededError" || code === "ENOSPC" || code === "EDQUOT";
  if (isFull) return new CheckpointError("full", `${where} has no room for it`, FULL, error);
  const wayOut = "Check that it can be read and written.";
  return new CheckpointError("store", `${where}: ${message}`, wayOut, error);
}

/** Checkpoints in the page's IndexedDB, under `name`, in pages and workers. Throws CheckpointError "store" where the
 *  runtime has none. */
export function checkpointDatabase(name: string, options: KeepOptions = {}): CheckpointStore {
  const { keep = KEPT } = options;
  const where = `IndexedDB "${name}"`;
  if (!hasIndexedDb()) {
    const wayOut = "In Node keep checkpoints in a folder: checkpointFolder.";
    throw new CheckpointError("store", `${where}: this runtime has no IndexedDB`, wayOut);
  }
  const place = { database: `webgpu-quant checkpoints ${name}`, store: "checkpoints" };
  const run = async <T>(
    mode: IDBTransactionMode,
    work: (store: IDBObjectStore) => IDBRequest<T>,
  ): Promise<T> => {
    try {
      return await inTransaction(place, mode, work);
    } catch (error) {
      throw storeError(where, error);
    }
  };
  const steps = async (): Promise<number[]> => {
    const keys = await run("readonly", (store) => store.getAllKeys());
    return keys.filter((key) => typeof key === "number").sort((a, b) => b - a);
  };
  return {
    put: async (step, bytes) => {
      await run("readwrite", (store) => store.put(bytes, step));
      for (const each of outdated(await steps(), step, keep))
        await run("readwrite", (store) => store.delete(each));
    },
    steps,
    get: async (step) => {
      const found: unknown = await run("readonly", (store) => store.get(step));
      return found instanceof Uint8Array ? found : undefined;
    },
    clear: async () => {
      await run("readwrite", (store) => store.clear());
    },
  };
}
