// Quantization-aware training on a real network: the CIFAR-10 ResNet-20 of https://github.com/akamaster/
// pytorch_resnet_cifar10 at four bits, where calibration alone collapses, and at eight. FIGURES=all trains on all
// 8,000 pictures and judges all 2,000; without it a few steps must already help.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  calibrate,
  compile,
  convert,
  evaluate,
  float32,
  models,
  prepare,
  prepareQat,
  qatQConfigs,
  qconfigs,
  requestDevice,
  train,
  type Device,
  type Model,
  type Tensors,
} from "../../src/node.ts";
import { randomCrop, randomHorizontalFlip } from "../../src/training/augment.ts";
import type { Random } from "../../src/training/random.ts";
import type { IndexedData, TrainingSample } from "../../src/training/samples.ts";
import { hasSharedData, readShared } from "../support/sharedData.ts";

const isThere = hasSharedData("models/cifar10-resnet20.th", "the CIFAR ResNet-20");
const isWhole = process.env["FIGURES"] === "all";

const MEAN = [0.485, 0.456, 0.406];
const STD = [0.229, 0.224, 0.225];
const PLANE = 32 * 32;
const RECORD = 1 + 3 * PLANE;

/** Every `step`-th picture of a CIFAR binary file, (x / 255 − mean) / std. */
function pictures(path: string, step: number): IndexedData {
  const bytes = readShared(path);
  return {
    length: Math.floor(bytes.length / RECORD / step),
    get(index) {
      const at = index * step * RECORD;
      const data = Float32Array.from({ length: 3 * PLANE }, (_, i) => {
        const channel = Math.floor(i / PLANE);
        const unit = Math.fround((bytes[at + 1 + i] ?? 0) / 255);
        return Math.fround(unit - MEAN[channel]!) / STD[channel]!;
      });
      return { tensors: { images: float32([3, 32, 32], data) }, label: bytes[at] ?? -1 };
    },
  };
}

async function* batches(data: IndexedData, size: number) {
  for (let start = 0; start + size <= data.length; start += size) {
    const samples = await Promise.all(Array.from({ length: size }, (_, i) => data.get(start + i)));
    const stacked = new Float32Array(size * 3 * PLANE);
    samples.forEach(({ tensors }, i) =>
      stacked.set(tensors["images"]!.data as Float32Array, i * 3 * PLANE),
    );
    const tensors: Tensors = { images: float32([size, 3, 32, 32], stacked) };
    yield { tensors, labels: samples.map(({ label }) => Number(label)) };
  }
}

/** The padding is black. */
const BLACK = MEAN.map((mean, c) => -mean / STD[c]!);

function augment(sample: TrainingSample, random: Random): TrainingSample {
  const images = sample.tensors["images"] as ReturnType<typeof float32>;
  const cropped = randomCrop(images, random, { padding: 4, fill: BLACK });
  return { ...sample, tensors: { images: randomHorizontalFlip(cropped, random) } };
}

describe.skipIf(!isThere)("quantization-aware training of CIFAR-10 ResNet-20", () => {
  let device: Device;
  let float: Model<"float">;
  let floatTop1: number;
  const tested = isThere ? pictures("cifar10/test-even-2000.bin", isWhole ? 1 : 20) : undefined;
  const trained = isThere ? pictures("cifar10/train-8000.bin", isWhole ? 1 : 8) : undefined;

  async function top1(model: Model<"float" | "qat" | "quantized">): Promise<number> {
    using session = await compile(model, device);
    return (await evaluate(session, batches(tested!, 50))).top1;
  }

  beforeAll(async () => {
    device = await requestDevice();
    float = await models.cifarResnet({
      depth: 20,
      weights: readShared("models/cifar10-resnet20.th"),
    });
    floatTop1 = await top1(float);
  });
  afterAll(() => device.dispose());

  const samples = function* () {
    for (
      let index = 0;
      index < trained!.length;
      index += Math.ceil(trained!.length / (isWhole ? 256 : 32))
    ) {
      const { tensors } = trained!.get(index) as TrainingSample;
      const { images } = tensors;
      yield { images: float32([1, 3, 32, 32], images!.data as Float32Array) };
    }
  };

  const widths = [
    { bits: 4, epochs: 1, every: 1, rate: 0.001, within: 3 },
    { bits: 8, epochs: 1, every: 4, rate: 0.001, within: 0.3 },
  ] as const;
  // Eight bits lose nothing that 100 pictures would show.
  it.each(isWhole ? widths : widths.slice(0, 1))(
    "$bits bits: training wins back what calibration loses; of all pictures, within $within points of float",
    async ({ bits, epochs, every, rate, within }) => {
      const learnt = pictures("cifar10/train-8000.bin", isWhole ? every : 32);
      // Plain post-training quantization: ranges of minima and maxima, biases as they are.
      const minMax = { ...qconfigs.int8.activation, observer: { kind: "minMax" } } as const;
      const eight = { ...qconfigs.int8, activation: minMax };
      const four = {
        activation: { ...minMax, qmin: 0, qmax: 15 },
        weight: { ...qconfigs.int8.weight, qmin: -7, qmax: 7 },
      };
      const overrides = { conv1: eight, linear: eight };
      const prepared = prepare(float, { qconfig: bits === 8 ? eight : four, overrides });
      const calibrated = await calibrate(prepared, samples(), { device, biasCorrection: false });
      const before = await top1(convert(calibrated));
      const qat = prepareQat(float, {
        qconfig: bits === 8 ? qatQConfigs.int8 : qatQConfigs.int4,
        overrides: { conv1: qatQConfigs.int8, linear: qatQConfigs.int8 },
        calibrated,
      });
      const began = performance.now();
      const result = await train(qat, learnt, {
        device,
        epochs: isWhole ? epochs : 1,
        batch: isWhole ? 64 : 32,
        optimizer: { kind: "sgd", learningRate: rate, momentum: 0.9, weightDecay: 1e-4 },
        schedule: { kind: "cosine", warmUp: { updates: 10 } },
        learnable: bits === 4,
        augment,
        onProgress: ({ step, steps, loss, accuracy = 0, stepsPerSecond }) => {
          if (isWhole && step % 10 === 0)
            console.log(
              `${bits} bits  ${step}/${steps}  ${loss.toFixed(4)}  ${(100 * accuracy).toFixed(1)} %  ${stepsPerSecond.toFixed(2)}/s`,
            );
        },
      });
      const seconds = (performance.now() - began) / 1000;
      const after = await top1(convert(result.model));
      console.log(
        `ResNet-20 at ${bits} bits, ${tested!.length} pictures: float ${floatTop1.toFixed(2)} %, calibrated ` +
          `${before.toFixed(2)} %, trained ${after.toFixed(2)} % (${result.steps} steps, ${seconds.toFixed(0)} s)`,
      );
      if (isWhole) {
        if (bits === 4) expect(before).toBeLessThanOrEqual(floatTop1 - 5);
        expect(after).toBeGreaterThanOrEqual(floatTop1 - within);
      } else {
        expect(after).toBeGreaterThan(before + 3);
      }
    },
  );
});
