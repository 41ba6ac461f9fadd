// Checkpoints in a folder of Node's file system: written beside, forced to the disk, then renamed, so that a crash at
// any point leaves whole files only.

import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { writeWhole } from "./storage/nodeFiles.ts";
import {
  KEPT,
  outdated,
  storeError,
  type CheckpointStore,
  type KeepOptions,
} from "./training/checkpointStore.ts";

const NAME = /^step-(\d{1,15})\.checkpoint$/;
const nameOf = (step: number) => `step-${String(step).padStart(9, "0")}.checkpoint`;

/** Checkpoints as files `step-000001000.checkpoint` in `folder`, which is made where it is missing. */
export function checkpointFolder(folder: string, options: KeepOptions = {}): CheckpointStore {
  const { keep = KEPT } = options;
  const guarded = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw storeError(`folder "${folder}"`, error);
    }
  };
  const files = async (): Promise<{ step: number; name: string }[]> => {
    const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return [];
      throw error;
    });
    const found = names.flatMap((name) => {
      const digits = NAME.exec(name)?.[1];
      return digits === undefined ? [] : [{ step: Number(digits), name }];
    });
    return found.sort((a, b) => b.step - a.step);
  };
  const remove = async (names: readonly string[]) => {
    for (const name of names) await rm(join(folder, name), { force: true });
  };
  return {
    put: (step, bytes) =>
      guarded(async () => {
        await mkdir(folder, { recursive: true });
        await writeWhole(join(folder, nameOf(step)), bytes);
        const found = await files();
        const old = outdated(
          found.map((each) => each.step),
          step,
          keep,
        );
        await remove(found.filter((each) => old.includes(each.step)).map(({ name }) => name));
      }),
    steps: () => guarded(async () => (await files()).map(({ step }) => step)),
    get: (step) =>
      guarded(async () => {
        const file = (await files()).find((each) => each.step === step);
        return file && new Uint8Array(await readFile(join(folder, file.name)));
      }),
    clear: () => guarded(async () => await remove((await files()).map(({ name }) => name))),
  };
}
