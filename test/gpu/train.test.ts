// Training on a device, as people use it: a small network learns pictures that are drawn here.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sampleNetwork } from "../../demo/sample/network.ts";
import { samplePicture } from "../../demo/sample/pictures.ts";
import { float32, requestDevice, type Device } from "../../src/node.ts";
import { Model } from "../../src/model.ts";
import { train } from "../../src/train.ts";
import type { IndexedData } from "../../src/training/samples.ts";

const SIDE = 24;

/** Pictures of 24 × 24: every other pixel. */
function pictures(count: number): IndexedData {
  return {
    length: count,
    get(index) {
      const { data, label } = samplePicture(index, "train");
      const pixels = Float32Array.from({ length: 3 * SIDE * SIDE }, (_, at) => {
        const [c, y, x] = [Math.floor(at / SIDE ** 2), Math.floor(at / SIDE) % SIDE, at % SIDE];
        return (data[(2 * y * 48 + 2 * x) * 3 + c] ?? 0) / 127.5 - 1;
      });
      return { tensors: { images: float32([3, SIDE, SIDE], pixels) }, label };
    },
  };
}

describe("train", () => {
  let device: Device;
  beforeAll(async () => void (device = await requestDevice()));
  afterAll(() => device.dispose());

  it("makes the loss smaller", async () => {
    const model = new Model("float", sampleNetwork(SIDE, 10, 1), {});
    const losses: number[] = [];
    const t = performance.now();
    const result = await train(model, pictures(64), {
      device,
      epochs: 8,
      batch: 16,
      optimizer: { kind: "adamw", learningRate: 0.005 },
      onProgress: (p) => {
        losses.push(p.loss);
        if (p.step < 5 || p.step % 8 === 0) console.log(p, performance.now() - t);
      },
    });
    console.log(result.epochs, result.steps);
    expect(losses.at(-1)).toBeLessThan((losses[0] ?? 0) * 0.8);
  });
});
