// An observer's range chooses scale and zero point and goes no further: session and saved file, in onnxruntime,
// agree beyond what calibration saw, under every preset and for ranges of one's own.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as ort from "onnxruntime-web";
import { GraphBuilder } from "../../src/graph/builder.ts";
import type { Node } from "../../src/graph/node.ts";
import {
  calibrate,
  compile,
  convert,
  Model,
  prepare,
  requestDevice,
  save,
  type Device,
} from "../../src/node.ts";
import { qconfigs } from "../../src/quantize/presets.ts";
import type { QConfig, TensorSpec } from "../../src/quantize/qconfig.ts";
import { floats, generator } from "../support/seeded.ts";

let device: Device;
beforeAll(async () => void (device = await requestDevice()));
afterAll(() => device.dispose());

/** Graphs a qconfig; more by OBSERVER_RANGE_GRAPHS. */
const GRAPHS = Number(process.env["OBSERVER_RANGE_GRAPHS"] ?? 2);
const SIZE = [2, 4, 6, 6];

const { int8 } = qconfigs;
const activation = (spec: Partial<TensorSpec>): QConfig => ({
  ...int8,
  activation: { ...int8.activation, ...spec },
});
const configs: Record<string, QConfig> = {
  ...qconfigs,
  "activations 0 … 127": activation({ qmin: 0, qmax: 127 }),
  "activations 0 … 200": activation({ qmin: 0, qmax: 200 }),
  "activations 0 … 15": activation({ qmin: 0, qmax: 15 }),
  "symmetric activations −127 … 127": activation({
    dtype: "int8",
    scheme: "symmetric",
    qmin: -127,
    qmax: 127,
  }),
  "signed activations, reduced": activation({ dtype: "int8", reduceRange: true }),
  "weights reduced": { ...int8, weight: { ...qconfigs.onednn.weight, reduceRange: true } },
};

/** A chain of random ops with an integer kernel, and one without. */
function randomModel(seed: number): Model<"float"> {
  const next = generator(seed);
  const builder = new GraphBuilder();
  builder.input("x", { dtype: "float32", shape: SIZE });
  let [count, value] = [0, "x"];
  const add = (op: Node["op"], inputs: string[], attributes: object = {}) => {
    const output = `v${count++}`;
    builder.add({ op, name: `/${output}`, inputs, outputs: [output], ...attributes } as Node);
    return output;
  };
  const conv = () => {
    const weight = builder.constant(`w${count}`, floats([4, 4, 3, 3], seed * 31 + count, 0.4));
    const bias = builder.constant(`b${count}`, floats([4], seed * 37 + count, 0.3));
    const window = { kernel: [3, 3], strides: [1, 1], dilations: [1, 1], pads: [1, 1, 1, 1] };
    return add("Conv", [value, weight, bias], { ...window, group: 1 });
  };
  const pool = { kernel: [3, 3], strides: [1, 1], dilations: [1, 1], pads: [1, 1, 1, 1] };
  const choices: (() => string)[] = [
    conv,
    () => ((value = conv()), add("Relu", [value])),
    () => add("Add", [value, conv()]),
    () => add("Sub", [value, conv()]),
    () => add("Mul", [value, conv()]),
    () => add("MaxPool", [value], { ...pool, ceilMode: false }),
    () => add("AveragePool", [value], { ...pool, ceilMode: false, countIncludePad: false }),
    () => add("LeakyRelu", [value], { alpha: 0.1 }),
    () => add("Sigmoid", [value]),
    () => add("Softmax", [value], { axis: 1 }),
  ];
  value = conv();
  for (let step = 0; step < 4; step++) {
    value = choices[Math.floor(next() * choices.length)]!();
  }
  value = conv();
  return new Model("float", builder.build("random", ["x"], [value]), {});
}

describe.each(Object.entries(configs))("%s", (_, qconfig) => {
  it.each(Array.from({ length: GRAPHS }, (_each, index) => 4100 + index))(
    "seed %i",
    async (seed) => {
      const model = randomModel(seed);
      const samples = [1, 2].map((each) => ({ x: floats(SIZE, seed + each) }));
      const quantized = convert(await calibrate(prepare(model, { qconfig }), samples, { device }));
      const file = save(quantized);
      const [output = ""] = quantized.graph.outputs;
      const { inputs } = quantized.graph.nodes.find(({ outputs }) => outputs.includes(output))!;
      const step = quantized.graph.values.get(inputs[0]!)!.quant!.scale[0]!;
      using session = await compile(quantized, device);
      ort.env.wasm.numThreads = 1;
      const other = await ort.InferenceSession.create(file);
      for (const span of [1, 4]) {
        const x = floats(SIZE, seed + 9, span);
        const y = (await session.run({ x }))[output]!.data as Float32Array;
        const out = await other.run({ x: new ort.Tensor("float32", x.data, SIZE) });
        const theirs = Object.values(out)[0]!.data as Float32Array;
        const worst = y.reduce(
          (error, each, at) => Math.max(error, Math.abs(each - theirs[at]!)),
          0,
        );
        // Both round the same integers; ties of an Add fall another way there, and spread.
        expect(worst / step, `span ${span}`).toBeLessThanOrEqual(3.01);
      }
    },
  );
});
