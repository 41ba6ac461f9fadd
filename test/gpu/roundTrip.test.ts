// From float to int8 to a file and back, for layers that the sample has not: the integers must survive
// the file, and other runtimes must read it.

import { afterAll, beforeAll, expect, it } from "vitest";
import * as ort from "onnxruntime-web";
import { GraphBuilder } from "../../src/graph/builder.ts";
import type { Node } from "../../src/graph/node.ts";
import {
  calibrate,
  compile,
  convert,
  float32,
  load,
  Model,
  prepare,
  requestDevice,
  save,
  type Device,
} from "../../src/node.ts";

let device: Device;
beforeAll(async () => void (device = await requestDevice()));
afterAll(() => device.dispose());

/** Values −1 … 1, the same on every run. */
const pattern = (length: number, seed: number) =>
  Float32Array.from({ length }, (_, i) => (((i + seed) * 7919) % 201) / 100 - 1);

function modelOf(
  shape: readonly (number | string)[],
  build: (builder: GraphBuilder) => string,
): Model<"float"> {
  const builder = new GraphBuilder();
  builder.input("x", { dtype: "float32", shape });
  return new Model("float", builder.build("test", ["x"], [build(builder)]), {});
}

const node = (op: Node["op"], inputs: string[], output: string, attributes: object = {}) =>
  ({ op, name: `/${output}`, inputs, outputs: [output], ...attributes }) as Node;

const cases: [string, Model<"float">, number[]][] = [
  [
    "two MatMul of matrices, whose corrected biases need a Gemm",
    modelOf(["batch", 6], (builder) => {
      builder.constant("w", float32([6, 5], pattern(30, 1)));
      builder.constant("v", float32([5, 3], pattern(15, 2)));
      builder.add(node("MatMul", ["x", "w"], "hidden"));
      builder.add(node("Relu", ["hidden"], "active"));
      return builder.add(node("MatMul", ["active", "v"], "y"));
    }),
    [4, 6],
  ],
  [
    "a MatMul of three axes, whose bias stays alone",
    modelOf([2, 3, 6], (builder) => {
      builder.constant("w", float32([6, 4], pattern(24, 3)));
      return builder.add(node("MatMul", ["x", "w"], "y"));
    }),
    [2, 3, 6],
  ],
  [
    "HardSwish, which older opsets spell out",
    modelOf(["batch", 4, 5, 5], (builder) => {
      builder.constant("w", float32([4, 4, 1, 1], pattern(16, 4)));
      const window = { kernel: [1, 1], strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0] };
      builder.add(node("Conv", ["x", "w"], "c", { ...window, group: 1 }));
      return builder.add(node("HardSwish", ["c"], "y"));
    }),
    [2, 4, 5, 5],
  ],
  [
    "Pad with a value outside the range of what it pads",
    modelOf(["batch", 2, 3, 3], (builder) => {
      builder.constant("w", float32([2, 2, 1, 1], pattern(4, 5)));
      const window = { kernel: [1, 1], strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0] };
      builder.add(node("Conv", ["x", "w"], "c", { ...window, group: 1 }));
      return builder.add(node("Pad", ["c"], "y", { pads: [0, 0, 1, 0, 0, 0, 0, 1], value: 5 }));
    }),
    [2, 2, 3, 3],
  ],
];

it.each(cases)("%s", async (_, model, shape) => {
  const size = shape.reduce((product, dim) => product * dim, 1);
  const samples = [0, 1, 2].map((seed) => ({ x: float32(shape, pattern(size, seed)) }));
  const quantized = convert(await calibrate(prepare(model), samples, { device }));
  const file = save(quantized);
  const again = await load(file);
  const input = { x: float32(shape, pattern(size, 1)) };
  using float = await compile(model, device);
  using session = await compile(quantized, device);
  using reread = await compile(again, device);
  const [want, ours, theirs] = [
    await float.run(input),
    await session.run(input),
    await reread.run(input),
  ];
  expect(theirs).toEqual(ours);
  const values = want["y"]!.data as Float32Array;
  const most = values.reduce((greatest, value) => Math.max(greatest, Math.abs(value)), 0);
  const worst = values.reduce(
    (error, value, i) => Math.max(error, Math.abs(value - Number(ours["y"]!.data[i]))),
    0,
  );
  expect(worst / most).toBeLessThan(0.05); // a few steps of 1/255 of the range, through two layers
  ort.env.wasm.numThreads = 1;
  const other = await ort.InferenceSession.create(file);
  const output = await other.run({ x: new ort.Tensor("float32", input.x.data, shape) });
  const difference = values.map((_value, i) =>
    Math.abs(Number(ours["y"]!.data[i]) - Number(output["y"]!.data[i])),
  );
  expect(Math.max(...difference) / most).toBeLessThan(0.02); // a code or two: ties fall another way
});

it("a tensor that holds other than it says is refused before it reaches the GPU", async () => {
  using session = await compile(cases[0]![1], device);
  const run = (data: unknown) =>
    session.run({ x: { dtype: "float32", shape: [1, 6], data: data as Float32Array } });
  await expect(run(new Float32Array(5))).rejects.toThrow(
    'input "x": data must be a Float32Array of 6 elements for shape [1, 6]; got a Float32Array of 5.',
  );
  await expect(run(new Uint8Array(6))).rejects.toThrow("got a Uint8Array of 6");
});
