// Quantization-aware training in one page: the sample network with one scale for each whole filter, where
// calibration alone loses a fifth of the pictures, and what some steps of training win back.
//
// `npm run example:qat` runs it, and `test/gpu/example.test.ts` on fewer pictures. In your own project the imports are
// from "webgpu-quant/node", or from "webgpu-quant" in a page; model and pictures are yours.

import { readFile } from "node:fs/promises";
import { samplePicture, type Split } from "../demo/sample/pictures.ts";
import {
  calibrate,
  compile,
  convert,
  evaluate,
  float32,
  load,
  prepare,
  prepareQat,
  qatQConfigs,
  qconfigs,
  requestDevice,
  save,
  train,
  type IndexedData,
  type Model,
  type Tensor,
} from "../src/node.ts";

const SIDE = 48;

/** A picture as the network takes it: (3, 48, 48), x / 127.5 − 1. */
function pixels(data: Uint8Array): Tensor<"float32"> {
  const out = new Float32Array(3 * SIDE * SIDE);
  for (let at = 0; at < SIDE * SIDE; at++)
    for (let c = 0; c < 3; c++) out[c * SIDE * SIDE + at] = (data[3 * at + c] ?? 0) / 127.5 - 1;
  return float32([3, SIDE, SIDE], out);
}

/** Pictures that can be had in any order. */
function pictures(split: Split, count: number): IndexedData {
  const get = (index: number) => {
    const { data, label } = samplePicture(index, split);
    return { tensors: { images: pixels(data) }, label };
  };
  return { length: count, get };
}

/** The same in batches, for evaluate and calibrate. */
async function* batches(data: IndexedData, size: number) {
  for (let start = 0; start + size <= data.length; start += size) {
    const part = await Promise.all(Array.from({ length: size }, (_, i) => data.get(start + i)));
    const stacked = new Float32Array(size * 3 * SIDE * SIDE);
    part.forEach(({ tensors: { images } }, i) => {
      if (images?.dtype === "float32")
        stacked.set(images.data as Float32Array, i * 3 * SIDE * SIDE);
    });
    const labels = part.map(({ label }) => Number(label));
    yield { tensors: { images: float32([size, 3, SIDE, SIDE], stacked) }, labels };
  }
}

export interface Sizes {
  readonly trained: number;
  readonly tested: number;
  readonly epochs: number;
}

/** Runs the whole recipe; the int8 file and the top-1 of each stage, in percent. */
export async function main(
  { trained, tested, epochs }: Sizes = { trained: 4000, tested: 500, epochs: 2 },
  log: (line: string) => void = console.log,
) {
  using device = await requestDevice();
  const float = await load(await readFile("demo/sample/model.onnx"));
  if (float.stage !== "float") throw new Error("the sample's model is quantized");

  const top1 = async (model: Model<"float" | "quantized">) => {
    using session = await compile(model, device);
    return (await evaluate(session, batches(pictures("test", tested), 20))).top1;
  };

  // One scale a filter: what many integer engines ask for, and what MobileNets dislike.
  const perTensor = { ...qatQConfigs.int8, weight: qatQConfigs.qnnpack.weight };
  const calibration = async function* () {
    for await (const { tensors } of batches(pictures("calibration", 100), 20)) yield tensors;
  };
  const prepared = prepare(float, { qconfig: qconfigs.int8PerTensor });
  const calibrated = await calibrate(prepared, calibration(), { device, biasCorrection: false });
  const before = await top1(convert(calibrated));

  const qat = prepareQat(float, { qconfig: perTensor, calibrated });
  const { model, epochs: history } = await train(qat, pictures("train", trained), {
    device,
    epochs,
    batch: 32,
    optimizer: { kind: "sgd", learningRate: 0.01, momentum: 0.9, maxNorm: 5 },
    schedule: { kind: "cosine", warmUp: { updates: 5 } },
    // A few hundred steps are too few to learn statistics anew.
    controls: { freezeBatchNorm: { epoch: 0 } },
    onProgress: ({ step, steps, loss, accuracy = 0, eta = 0 }) => {
      if (step % 10 === 0)
        log(
          `step ${step}/${steps}  loss ${loss.toFixed(3)}  ${(100 * accuracy).toFixed(0)} %  ${eta.toFixed(0)} s left`,
        );
    },
  });
  const quantized = convert(model);
  const after = await top1(quantized);
  const reference = await top1(float);
  log(
    `float ${reference.toFixed(1)} %, calibrated ${before.toFixed(1)} %, trained ${after.toFixed(1)} %`,
  );
  return { reference, before, after, history, file: save(quantized) };
}
