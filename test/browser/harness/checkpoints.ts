// What the browser runs in the tests of stored checkpoints.

import { checkpointDatabase } from "../../../src/index.ts";
import { encodeCheckpoint, decodeCheckpoint } from "../../../src/training/checkpoint.ts";
import { latestCheckpoint } from "../../../src/training/checkpointStore.ts";
import { float32 } from "../../../src/tensor/tensor.ts";

const bytesAt = (step: number, length: number) =>
  encodeCheckpoint({
    ...{ step, update: step, epoch: 1, position: 2, model: "m" },
    variables: new Map([["w", float32([length], new Float32Array(length).fill(step))]]),
  });

/** Put checkpoints of `steps`, each of `length` floats; the steps that are there after it. */
export async function putAll(name: string, steps: readonly number[], length: number) {
  const store = checkpointDatabase(name, { keep: 2 });
  for (const step of steps) await store.put(step, bytesAt(step, length));
  return await store.steps();
}

/** The step and first number of the newest checkpoint. */
export async function newest(name: string) {
  const { checkpoint } = await latestCheckpoint(checkpointDatabase(name), "m");
  return checkpoint && { step: checkpoint.step, first: checkpoint.variables.get("w")?.data[0] };
}

/** What putting a checkpoint ends in, and the steps that are there after it. */
export async function putOne(name: string, step: number, length: number) {
  const store = checkpointDatabase(name, { keep: 2 });
  const error = await store.put(step, bytesAt(step, length)).then(
    () => undefined,
    ({ name: kind, reason, message }) => ({ kind, reason, message }) as Record<string, string>,
  );
  return { error, steps: await store.steps() };
}

/** Forget all; the steps that are left. */
export async function clear(name: string) {
  const store = checkpointDatabase(name);
  await store.clear();
  const missing = await store.get(1);
  return { steps: await store.steps(), missing: missing && decodeCheckpoint(missing).step };
}
