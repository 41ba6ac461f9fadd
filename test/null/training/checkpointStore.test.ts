// The folder that checkpoints are kept in, and what is gone on from: never a file that is not whole, and never over
// another model's.

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { checkpointFolder } from "../../../src/checkpointFolder.ts";
import { encodeCheckpoint } from "../../../src/training/checkpoint.ts";
import {
  checkpointDatabase,
  latestCheckpoint,
  outdated,
  storeError,
} from "../../../src/training/checkpointStore.ts";
import { float32 } from "../../../src/tensor/tensor.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "checkpoints-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const bytesAt = (step: number, model = "m") =>
  encodeCheckpoint({
    ...{ step, update: step, epoch: 0, position: step, model },
    variables: new Map([["w", float32([2], [step, -step])]]),
  });

describe("a folder of checkpoints", () => {
  it("keeps the newest few, and reads what was written", async () => {
    const store = checkpointFolder(join(folder, "new", "deep"), { keep: 3 });
    expect(await store.steps()).toEqual([]);
    for (const step of [1, 2, 10, 9_999, 10_000]) await store.put(step, bytesAt(step));
    expect(await store.steps()).toEqual([10_000, 9_999, 10]);
    expect(await store.get(10)).toEqual(bytesAt(10));
    expect(await store.get(2)).toBeUndefined();
    await store.clear();
    expect(await store.steps()).toEqual([]);
  });

  it("leaves other files alone, and temporary ones of its own nowhere", async () => {
    writeFileSync(join(folder, "notes.txt"), "mine");
    const store = checkpointFolder(folder, { keep: 1 });
    await store.put(1, bytesAt(1));
    await store.put(2, bytesAt(2));
    await store.clear();
    expect(readdirSync(folder)).toEqual(["notes.txt"]);
  });

  it("forgets later steps when training went back to an earlier one", async () => {
    const store = checkpointFolder(folder, { keep: 2 });
    for (const step of [10, 20]) await store.put(step, bytesAt(step));
    await store.put(15, bytesAt(15));
    expect(await store.steps()).toEqual([15, 10]);
  });

  it("says where it cannot write, and leaves what was there", async () => {
    writeFileSync(join(folder, "file"), "");
    const inFile = checkpointFolder(join(folder, "file"));
    const error = await inFile.put(1, bytesAt(1)).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ name: "CheckpointError", reason: "store" });
    expect(String(error)).toContain("Check that it can be read and written.");
    expect(readFileSync(join(folder, "file"), "utf8")).toBe("");
  });

  it("has a word of its own for a full disk", () => {
    const full = storeError('folder "x"', Object.assign(new Error("no"), { code: "ENOSPC" }));
    expect(full.reason).toBe("full");
    expect(full.message).toMatchInlineSnapshot(
      `"checkpoint: folder "x" has no room for it. Free some of the disk, keep fewer checkpoints, or store them less often."`,
    );
  });
});

describe("outdated", () => {
  it.each([
    [[], 5, 2, []],
    [[5, 4, 3], 5, 2, [3]],
    [[5, 4, 3], 5, 1, [4, 3]],
    [[9, 5, 4], 5, 2, [9]],
    [[5, 4], 5, 0, [4]],
  ])("of %j, putting %i and keeping %i: %j", (steps, step, keep, want) => {
    expect(outdated(steps, step, keep)).toEqual(want);
  });
});

describe("latestCheckpoint", () => {
  it("is the newest that is whole, and names those that are not", async () => {
    const store = checkpointFolder(folder);
    await store.put(1, bytesAt(1));
    await store.put(2, bytesAt(2));
    const path = join(folder, readdirSync(folder).sort().at(-1)!);
    writeFileSync(path, readFileSync(path).subarray(0, 100));
    const { checkpoint, damaged } = await latestCheckpoint(store, "m");
    expect(checkpoint?.step).toBe(1);
    expect(damaged.map(({ step, error }) => [step, error.reason])).toEqual([[2, "damaged"]]);
  });

  it("is none where all are damaged, or none is there: training starts again", async () => {
    const store = checkpointFolder(folder);
    expect(await latestCheckpoint(store, "m")).toEqual({ checkpoint: undefined, damaged: [] });
    await store.put(3, new Uint8Array(50));
    const { checkpoint, damaged } = await latestCheckpoint(store, "m");
    expect([checkpoint, damaged.length]).toEqual([undefined, 1]);
  });

  it("does not go over another model's", async () => {
    const store = checkpointFolder(folder);
    await store.put(1, bytesAt(1, "other"));
    await expect(latestCheckpoint(store, "m")).rejects.toMatchObject({ reason: "model" });
  });
});

describe("checkpointDatabase", () => {
  it("is refused in a runtime without IndexedDB", () => {
    expect(() => checkpointDatabase("run")).toThrowErrorMatchingInlineSnapshot(
      `[CheckpointError: checkpoint: IndexedDB "run": this runtime has no IndexedDB. In Node keep checkpoints in a folder: checkpointFolder.]`,
    );
  });
});
