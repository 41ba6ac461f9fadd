// What the browser runs in the tests of bits and of the worker: quantized files and inputs are fetched,
// logits come back as text.

import { compile, load, requestDevice, tensor, type Model } from "../../../src/index.ts";
import { presets } from "../../../src/pictures/preprocessSpec.ts";
import type { JobProgress } from "../../../src/job.ts";
import { WorkerClient } from "../../../src/workerClient.ts";
import { samplePicture, type Split } from "../../../demo/sample/pictures.ts";

const hex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

const fetchBytes = async (url: string): Promise<ArrayBuffer> =>
  await (await fetch(url)).arrayBuffer();

/** The f32 logits of each of `runs` runs, as hex. Made of /NAME.onnx and of /NAME.f32, the input's values. */
export async function logitsOf(
  name: string,
  shape: readonly number[],
  runs: number,
): Promise<string[]> {
  const file = new Uint8Array(await fetchBytes(`/${name}.onnx`));
  const values = new Float32Array(await fetchBytes(`/${name}.f32`));
  using device = await requestDevice();
  const model = (await load(file)) as Model<"quantized">;
  using session = await compile(model, device);
  const [input = ""] = Object.keys(model.inputs);
  const logits: string[] = [];
  for (let run = 0; run < runs; run++) {
    const outputs = await session.run({ [input]: tensor("float32", shape, values) });
    const { data } = Object.values(outputs)[0] ?? tensor("float32", [0]);
    logits.push(hex(new Uint8Array(data.buffer, data.byteOffset, data.byteLength)));
  }
  return logits;
}

function pictures(split: Split, count: number) {
  return Array.from({ length: count }, (_, index) => {
    const { label, ...source } = samplePicture(index, split);
    return { name: `${split} ${index}`, source, label };
  });
}

const sampleJob = async () => ({
  model: new Uint8Array(await fetchBytes("/float.onnx")),
  calibration: pictures("calibration", 20),
  evaluation: pictures("test", 20),
  preprocess: { ...presets.tf, resize: 48 },
  batch: 10,
});

const facts = (error: unknown) => ({
  name: error instanceof Error ? error.name : "",
  message: error instanceof Error ? error.message : String(error),
});

/** One worker: a job for each of `phases`, aborted at its first report of that phase, then one that runs
 *  through. With the GPU memory that the worker holds after each. */
export async function abortThenQuantize(phases: readonly JobProgress["phase"][]) {
  using client = new WorkerClient(new Worker("/worker.js", { type: "module" }));
  const aborted = [];
  for (const phase of phases) {
    const controller = new AbortController();
    const job = client.quantize(await sampleJob(), {
      signal: controller.signal,
      onProgress: (progress) => {
        if (progress.phase === phase) controller.abort();
      },
    });
    const { name } = facts(await job.catch((error: unknown) => error));
    aborted.push({ phase, name, memory: (await client.status()).memory });
  }
  const seen: JobProgress[] = [];
  const result = await client.quantize(await sampleJob(), {
    onProgress: (progress) => seen.push(progress),
  });
  return {
    aborted,
    memory: (await client.status()).memory,
    phases: [...new Set(seen.map(({ phase }) => phase))],
    last: seen.at(-1),
    file: hex(result.file),
    evaluation: result.evaluation,
  };
}

/** What the worker says to a file that is no model. */
export async function quantizeRubbish() {
  using client = new WorkerClient(new Worker("/worker.js", { type: "module" }));
  const job = { ...(await sampleJob()), model: new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]) };
  return facts(await client.quantize(job).catch((error: unknown) => error));
}

/** What becomes of a job whose worker's script is not there. */
export async function missingWorker() {
  using client = new WorkerClient(new Worker("/missing.js", { type: "module" }));
  return facts(await client.status().catch((error: unknown) => error));
}
