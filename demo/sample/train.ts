// Trains the sample's network with this library and writes it: `npm run train:sample`. One idea: first on small
// pictures, where a step costs less than half, then on whole ones; what is learnt passes over by name.
//
// The same seed gives the same bits on the same adapter. README.md holds what it printed.

import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { compile } from "../../src/compile.ts";
import { evaluate } from "../../src/evaluate.ts";
import { Model } from "../../src/model.ts";
import { requestDevice } from "../../src/node.ts";
import { save } from "../../src/save.ts";
import { float32 } from "../../src/tensor/tensor.ts";
import { train } from "../../src/train.ts";
import type { Random } from "../../src/training/random.ts";
import type { TrainingSample } from "../../src/training/samples.ts";
import { batches, pictures, SIDE } from "./data.ts";
import { sampleNetwork, withWeights } from "./network.ts";
import { classNames } from "./pictures.ts";

const SEED = 20250730;
const PICTURES = 24_000;
const TESTED = 2_000;
const BATCH = 64;
/** Side of the pictures, px, and epochs. */
const PARTS = [
  { side: 24, epochs: 5 },
  { side: 48, epochs: 6 },
] as const;
const RATE = 0.006;
const WEIGHT_DECAY = 0.02;

/** One of the square's eight symmetries and one of the colours' six orders. */
function augment(sample: TrainingSample, random: Random): TrainingSample {
  const { images } = sample.tensors;
  if (!(images?.data instanceof Float32Array)) return sample;
  const [, side = 0] = images.shape;
  const [flipX, flipY, turn] = [random.below(2), random.below(2), random.below(2)];
  const first = random.below(3);
  const second = (first + 1 + random.below(2)) % 3;
  const colours = [first, second, 3 - first - second];
  const out = new Float32Array(images.data.length);
  let to = 0;
  for (const c of colours)
    for (let y = 0; y < side; y++)
      for (let x = 0; x < side; x++) {
        const [row, column] = [flipY ? side - 1 - y : y, flipX ? side - 1 - x : x];
        const [from, beside] = turn ? [column, row] : [row, column];
        out[to++] = images.data[(c * side + from) * side + beside] ?? 0;
      }
  return { ...sample, tensors: { images: float32(images.shape, out) } };
}

/** Train, and write the network to `path`. */
export async function main(path = "demo/sample/model.onnx"): Promise<void> {
  using device = await requestDevice();
  const began = performance.now();
  const seconds = () => `${((performance.now() - began) / 1000).toFixed(0)} s`;
  const norms = { match: "*/norm/*", weightDecay: 0 };
  const total = PARTS.reduce((sum, { epochs }) => sum + epochs, 0);
  let model = new Model("float", sampleNetwork(SIDE, classNames.length, SEED), {});
  let before = 0;
  for (const [part, { side, epochs }] of PARTS.entries()) {
    const graph = withWeights(sampleNetwork(side, classNames.length, SEED), model.graph.constants);
    const perEpoch = Math.floor(PICTURES / BATCH);
    const isFirst = part === 0;
    const trained = await train(new Model("float", graph, {}), pictures("train", PICTURES, side), {
      device,
      epochs,
      batch: BATCH,
      optimizer: { kind: "adamw", learningRate: RATE, weightDecay: WEIGHT_DECAY },
      groups: [norms],
      loss: { kind: "crossEntropy", labelSmoothing: 0.05 },
      schedule: isFirst
        ? { kind: "constant", warmUp: { updates: perEpoch, from: 0.04 } }
        : { kind: "cosine", minimum: 0 },
      seed: SEED + part,
      augment,
      onProgress: ({ step, steps, epoch, loss, accuracy = 0, stepsPerSecond }) => {
        if (step % 25 > 0 && step !== steps) return;
        console.log(
          `${side} px  epoch ${before + epoch + 1}/${total}  step ${step}/${steps}  loss ${loss.toFixed(4)}  ` +
            `batch ${(100 * accuracy).toFixed(1)} %  ${stepsPerSecond.toFixed(2)} steps/s  ${seconds()}`,
        );
      },
    });
    for (const { epoch, loss, accuracy = 0 } of trained.epochs)
      console.log(
        `epoch ${before + epoch + 1}  ${side} px  loss ${loss.toFixed(4)}  train top-1 ${(100 * accuracy).toFixed(2)} %`,
      );
    before += epochs;
    const whole = sampleNetwork(SIDE, classNames.length, SEED);
    model = new Model("float", withWeights(whole, trained.model.graph.constants), {});
  }
  const file = save(model);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, file);
  using session = await compile(model, device);
  const { top1 } = await evaluate(session, batches("test", TESTED, 50));
  console.log(`test top-1 ${top1.toFixed(2)} % of ${TESTED}, ${file.length} bytes, ${seconds()}`);
}
