// MobileNetV2 and its pictures, run by a session, and what logits are judged by: docs/quantization.md (41), (42).

import * as ort from "onnxruntime-web";
import type { Session, Tensors } from "../../src/node.ts";
import { argmax, ErrorSum, inTop } from "../../src/metrics.ts";
import { batches, presets } from "../../src/pictures.ts";
import type { imagenetSample } from "./sharedData.ts";

export type Picture = ReturnType<typeof imagenetSample>[number];

/** Logits per picture. */
export type Logits = Map<string, Float32Array>;

export async function* inputsOf(
  pictures: readonly Picture[],
): AsyncGenerator<{ name: string; tensors: Tensors }> {
  const options = { input: "input", spec: presets.tf, height: 224, width: 224, batch: 1 };
  for await (const { names, tensors } of batches(pictures, options))
    yield { name: names[0] ?? "", tensors };
}

export async function* tensorsOf(pictures: readonly Picture[]): AsyncGenerator<Tensors> {
  for await (const { tensors } of inputsOf(pictures)) yield tensors;
}

export async function logitsOf(
  pictures: readonly Picture[],
  run: (tensors: Tensors) => Promise<Float32Array>,
): Promise<Logits> {
  const logits: Logits = new Map();
  for await (const { name, tensors } of inputsOf(pictures))
    logits.set(name, (await run(tensors)).slice());
  return logits;
}

export const runSession =
  (session: Session, times: number[] = []) =>
  async (tensors: Tensors) => {
    const start = performance.now();
    const { logits } = await session.run(tensors);
    times.push(performance.now() - start);
    return logits!.data as Float32Array;
  };

ort.env.wasm.numThreads = 1;
export const runOrt =
  (session: ort.InferenceSession) =>
  async ({ input }: Tensors) => {
    const feeds = {
      input: new ort.Tensor("float32", input!.data as Float32Array, [...input!.shape]),
    };
    return (await session.run(feeds))["logits"]!.data as Float32Array;
  };

const labelOffset = 1; // class 0 of this model is the background

export function top1(pictures: readonly Picture[], logits: Logits): number {
  const hits = pictures.filter(({ name, label }) =>
    inTop(logits.get(name)!, label + labelOffset, 1),
  );
  return (100 * hits.length) / pictures.length;
}

export function against(pictures: readonly Picture[], reference: Logits, logits: Logits) {
  const error = new ErrorSum();
  let agreed = 0;
  for (const { name } of pictures) {
    const [x, y] = [reference.get(name)!, logits.get(name)!];
    error.add(x, y);
    if (argmax(x) === argmax(y)) agreed++;
  }
  return { agreement: (100 * agreed) / pictures.length, sqnrDb: error.sqnrDb };
}
