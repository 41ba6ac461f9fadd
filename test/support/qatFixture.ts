// The network of test/fixtures/make_qat.py, its batches and its quantizers, drawn again from the seed.

import { Model } from "../../src/model.ts";
import { GraphBuilder } from "../../src/graph/builder.ts";
import { prepareQat } from "../../src/prepareQat.ts";
import type { Quantizer } from "../../src/quantize/qat/model.ts";
import { qatQConfigs } from "../../src/quantize/qat/presets.ts";
import { float32, sizeOf, type Tensor } from "../../src/tensor/tensor.ts";
import fixture from "../fixtures/qat.json";
import { floatOf, hashOf, Random } from "../null/quantize/seeded.ts";
import type { Batch } from "./qatTraining.ts";

const fl = Math.fround;
const BATCH = 4;
/** Steps before observers are off, and before batch normalization is frozen. */
export const OBSERVED = 6;
export const FROZEN = 9;

function drawn(random: Random, shape: readonly number[], scale: number): Tensor<"float32"> {
  return float32(
    shape,
    Array.from({ length: sizeOf(shape) }, () => fl(random.bell() * fl(scale))),
  );
}

function positive(random: Random, shape: readonly number[]): Tensor<"float32"> {
  const { data } = drawn(random, shape, 0.5);
  return float32(
    shape,
    data.map((x) => fl(Math.abs(x) + 0.5)),
  );
}

function network(random: Random): Model<"float"> {
  const builder = new GraphBuilder();
  builder.input("images", { dtype: "float32", shape: ["batch", 3, 6, 6] });
  const layer = (index: number, x: string, filter: readonly number[], stride: number) => {
    const [channels = 1] = filter;
    const conv = `conv${index}`;
    builder.constant(`${conv}.weight`, drawn(random, filter, 0.25));
    const parameters = [
      builder.constant(`bn${index}.weight`, positive(random, [channels])),
      builder.constant(`bn${index}.bias`, drawn(random, [channels], 0.25)),
      builder.constant(`bn${index}.running_mean`, drawn(random, [channels], 0.25)),
      builder.constant(`bn${index}.running_var`, positive(random, [channels])),
    ];
    builder.add({
      ...{ op: "Conv", name: conv, inputs: [x, `${conv}.weight`], outputs: [`${conv}.out`] },
      ...{ kernel: [3, 3], strides: [stride, stride], dilations: [1, 1], pads: [1, 1, 1, 1] },
      group: 1,
    });
    builder.add({
      ...{ op: "BatchNormalization", name: `bn${index}`, inputs: [`${conv}.out`, ...parameters] },
      ...{ outputs: [`bn${index}.out`], epsilon: 1e-5 },
    });
    const inputs = [`bn${index}.out`];
    return builder.add({ op: "Relu", name: `r${index}`, inputs, outputs: [`relu${index}`] });
  };
  const first = layer(1, "images", [6, 3, 3, 3], 1);
  const second = layer(2, first, [5, 6, 3, 3], 2);
  builder.add({ op: "Flatten", name: "flatten", inputs: [second], outputs: ["flat"], axis: 1 });
  builder.constant("fc.weight", drawn(random, [4, 45], 0.125));
  builder.constant("fc.bias", drawn(random, [4], 0.25));
  builder.add({
    ...{ op: "Gemm", name: "fc", inputs: ["flat", "fc.weight", "fc.bias"], outputs: ["logits"] },
    ...{ alpha: 1, beta: 1, transA: false, transB: true },
  });
  return new Model("float", builder.build("qat", ["images"], ["logits"]), {});
}

export interface QatRun {
  readonly title: string;
  readonly model: Model<"qat">;
  readonly batches: readonly Batch[];
  /** Of each step: PyTorch's loss, and what each quantizer has after it. */
  readonly steps: readonly {
    readonly loss: number;
    readonly quantizers: ReadonlyMap<
      string,
      { readonly scale: readonly number[]; readonly zeroPoint: readonly number[] }
    >;
  }[];
}

/** Throws where the inputs are not PyTorch's bit for bit. */
export function qatRuns(): QatRun[] {
  return fixture.runs.map(({ backend, fused, seed, inputs, steps }) => {
    const random = new Random(seed);
    const model = prepareQat(network(random), {
      qconfig: qatQConfigs[backend as "qnnpack" | "fbgemm"],
      parity: fused,
    });
    const batches = inputs.map((hash) => {
      const images = drawn(random, [BATCH, 3, 6, 6], 0.5);
      if (hashOf(images.data) !== hash)
        throw new Error(`qat.json, seed ${seed}: other inputs than PyTorch's`);
      return {
        inputs: { images },
        labels: Array.from({ length: BATCH }, () => random.integer(0, 3)),
      };
    });
    const read = (of: { scale: string[]; zeroPoint: number[] }) => {
      return { scale: of.scale.map(floatOf), zeroPoint: of.zeroPoint };
    };
    return {
      title: `${backend}${fused ? ", PyTorch's fused op" : ""}, seed ${seed}`,
      model,
      batches,
      steps: steps.map(({ loss, quantizers }) => ({
        loss: floatOf(loss),
        quantizers: new Map(
          Object.entries(quantizers).map(([name, each]) => [name, read(each)] as const),
        ),
      })),
    };
  });
}

/** The quantizer that the fixture calls `name`. */
export function quantizerOf({ details }: Model<"qat">, name: string): Quantizer {
  const found = name.endsWith("/weight")
    ? details.weights.get(name.slice(0, -"/weight".length))
    : details.activations.get(name);
  if (!found) throw new Error(`no quantizer "${name}"`);
  return found;
}
