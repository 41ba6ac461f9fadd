// The CIFAR-10 ResNets of https://github.com/akamaster/pytorch_resnet_cifar10, from the legacy pickles that
// PyTorch wrote, on 2,000 test pictures (../shared/data/MANIFEST.md): float as PyTorch, static int8 close to it.
// `npm test` takes the smaller one, `npm run figures` both.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  calibrate,
  compile,
  convert,
  evaluate,
  float32,
  models,
  prepare,
  requestDevice,
  type Device,
  type Model,
  type Tensors,
} from "../../src/node.ts";
import { hasSharedData, readShared } from "../support/sharedData.ts";

const isThere = hasSharedData("models/cifar10-resnet20.th", "the CIFAR ResNets");

const MEAN = [0.485, 0.456, 0.406];
const STD = [0.229, 0.224, 0.225];
const PLANE = 32 * 32;
const RECORD = 1 + 3 * PLANE;

/** Every `step`-th record of a CIFAR binary file, `batch` a time: (x / 255 − mean) / std, with labels. */
function* records(path: string, batch: number, step = 1) {
  const bytes = readShared(path);
  const chosen = Array.from(
    { length: Math.floor(bytes.length / RECORD / step) },
    (_, i) => i * step * RECORD,
  );
  for (let start = 0; start + batch <= chosen.length; start += batch) {
    const data = new Float32Array(batch * 3 * PLANE);
    const part = chosen.slice(start, start + batch);
    part.forEach((at, index) => {
      for (let i = 0; i < 3 * PLANE; i++) {
        const channel = Math.floor(i / PLANE);
        const unit = Math.fround((bytes[at + 1 + i] ?? 0) / 255);
        data[index * 3 * PLANE + i] = Math.fround(unit - MEAN[channel]!) / STD[channel]!;
      }
    });
    const tensors: Tensors = { images: float32([batch, 3, 32, 32], data) };
    yield { tensors, labels: part.map((at) => bytes[at] ?? -1) };
  }
}

describe.skipIf(!isThere)("CIFAR-10 ResNets", () => {
  let device: Device;
  beforeAll(async () => void (device = await requestDevice()));
  afterAll(() => device.dispose());

  async function top1(model: Model<"float"> | Model<"quantized">): Promise<number> {
    using session = await compile(model, device);
    return (await evaluate(session, records("cifar10/test-even-2000.bin", 50))).top1;
  }

  const known = [
    { depth: 20, expected: 81.25 },
    { depth: 32, expected: 83.4 },
  ] as const;
  const isWhole = process.env["FIGURES"] === "all";
  if (isThere && !isWhole) console.log("ResNet-32: FIGURES=all");
  it.each(isWhole ? known : known.slice(0, 1))(
    "ResNet-$depth: $expected % as in PyTorch, int8 within 1 point",
    async ({ depth, expected }) => {
      const weights = readShared(`models/cifar10-resnet${depth}.th`);
      const model = await models.cifarResnet({ depth, weights });
      const float = await top1(model);
      const samples = function* () {
        for (const { tensors } of records("cifar10/train-8000.bin", 32, 31)) yield tensors;
      };
      const quantized = convert(await calibrate(prepare(model), samples(), { device }));
      const int8 = await top1(quantized);
      console.log(`ResNet-${depth}: top-1 float ${float.toFixed(2)} %, int8 ${int8.toFixed(2)} %`);
      expect(Math.abs(float - expected)).toBeLessThanOrEqual(0.05 + 1e-9); // one picture of 2,000
      expect(int8).toBeGreaterThanOrEqual(expected - 1);
    },
  );
});
