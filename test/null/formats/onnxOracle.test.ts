// Forms that exporters write and that are spelled out at import: each model gives ONNX Runtime's numbers, read by the
// reference.

import { beforeAll, describe, expect, it } from "vitest";
import * as ort from "onnxruntime-web";
import { importOnnx } from "../../../src/formats/onnx/import.ts";
import { DataType } from "../../../src/formats/onnx/proto.ts";
import { bindShapes, matchDims } from "../../../src/graph/bind.ts";
import { interpret } from "../../../src/reference/interpret.ts";
import { elementsOf, tensor, type Tensor, type Tensors } from "../../../src/tensor/tensor.ts";
import { branch, floats, long, longs, node, scalar, tiny, type Tiny } from "./onnxModels.ts";

const ints = (shape: readonly number[], ...values: number[]) =>
  tensor("int32", shape, Int32Array.from(values));
const INT32 = DataType.INT32;

beforeAll(() => {
  ort.env.wasm.numThreads = 1;
  ort.env.logLevel = "error";
});

/** Both answers to `inputs` are the same, floats to 1e-5 of the greatest. */
async function agree(parts: Tiny, inputs: Tensors): Promise<Tensors> {
  const bytes = tiny(parts);
  const graph = importOnnx(bytes);
  const bound = bindShapes(graph, matchDims(graph, inputs));
  const got = interpret(bound, inputs);
  const session = await ort.InferenceSession.create(bytes);
  const feeds = Object.entries(inputs).map(([name, { dtype, data, shape }]) => [
    name,
    new ort.Tensor(dtype as "float32", data as Float32Array, [...shape]),
  ]);
  const want = await session.run(Object.fromEntries(feeds) as ort.InferenceSession.FeedsType);
  await session.release();
  for (const [name, { type, dims, data }] of Object.entries(want)) {
    const mine = got.get(name)!;
    expect([mine.dtype, mine.shape]).toEqual([type, dims]);
    const [a, b] = [elementsOf(mine), Array.from(data as Float32Array, Number)];
    const most = Math.max(1e-30, ...b.map(Math.abs).filter(Number.isFinite));
    b.forEach((value, at) => {
      if (Object.is(a[at], value) || a[at] === value) return;
      expect(Math.abs(a[at]! - value) / most, `${name}[${at}]`).toBeLessThan(1e-5);
    });
  }
  return Object.fromEntries(got);
}

const x34 = floats([3, 4], (at) => Math.sin(at * 1.7) * 2);

describe("an If that a run decides", () => {
  const inner = (name: string) =>
    node("If", ["deep"], [name], {
      then_branch: branch([node("Abs", ["x"], [`${name}_a`])], [`${name}_a`]),
      else_branch: branch([node("Neg", ["outer"], [`${name}_b`])], [`${name}_b`]),
    });
  const parts: Tiny = {
    nodes: [
      node("Mul", ["x", "two"], ["outer"]),
      node("ReduceMax", ["x"], ["most"], { keepdims: 0 }),
      node("ReduceMin", ["x"], ["least"], { keepdims: 0 }),
      node("Greater", ["most", "bound"], ["c"]),
      node("Less", ["least", "bound"], ["deep"]),
      node("If", ["c"], ["y", "z"], {
        then_branch: branch(
          [inner("n"), node("Add", ["n", "w"], ["t"]), node("Identity", ["outer"], ["o"])],
          ["t", "o"],
          { w: floats([4]) },
        ),
        else_branch: branch(
          [node("Relu", ["x"], ["e"]), node("Identity", ["x"], ["o"])],
          ["e", "o"],
        ),
      }),
    ],
    initializers: { two: scalar(2), bound: scalar(0.5) },
    inputs: { x: [3, 4] },
    outputs: ["y", "z"],
  };
  it.each([1, 0.1, -1])(
    "nested, with captures and two outputs: inputs times %f",
    async (factor) => {
      await agree(parts, { x: floats([3, 4], (at) => x34.data[at]! * factor) });
    },
  );
});

describe("Clip with computed bounds", () => {
  const bounded = (inputs: string[]): Tiny => ({
    nodes: [
      node("ReduceMean", ["x"], ["m"], { keepdims: 0 }),
      node("Reshape", ["m", "one"], ["m1"]),
      node("Squeeze", ["m1"], ["lo"]),
      node("Sub", ["lo", "d"], ["below"]),
      node("Clip", inputs),
    ],
    initializers: { d: scalar(1), one: longs(1), zero: scalar(0.25) },
    inputs: { x: [3, 4] },
  });
  it.each([
    ["low", ["x", "lo"]],
    ["high", ["x", "", "lo"]],
    ["both", ["x", "below", "lo"]],
    ["crossed: the upper one wins", ["x", "lo", "below"]],
    ["one known", ["x", "lo", "zero"]],
  ])("%s", async (_, inputs) => {
    await agree(bounded(inputs), { x: x34 });
  });

  it("integers", async () => {
    const types = { x: INT32, lo: INT32, y: INT32 };
    const parts: Tiny = {
      nodes: [node("Clip", ["x", "lo", "hi"])],
      initializers: { hi: ints([], 2) },
      inputs: { x: [5], lo: [] },
      types,
    };
    const x = ints([5], -7, -1, 0, 2, 9);
    for (const low of [-2, 5]) await agree(parts, { x, lo: ints([], low) });
  });

  it("by a size that is open", async () => {
    const parts: Tiny = {
      nodes: [
        node("Shape", ["x"], ["shape"]),
        node("Gather", ["shape", "zero"], ["n"]),
        node("Cast", ["n"], ["f"], { to: 1 }),
        node("Mul", ["f", "d"], ["hi"]),
        node("Clip", ["x", "", "hi"]),
      ],
      initializers: { zero: long(0), d: scalar(0.25) },
      inputs: { x: ["n", 4] },
    };
    await agree(parts, { x: x34 });
    await agree(parts, { x: floats([7, 4]) });
  });
});

describe("Pad with negative pads", () => {
  it.each([
    ["constant", [-1, -1, 0, -2]],
    ["constant", [-1, 2, 1, -2]],
    ["constant", [2, -3, -1, 1]],
    ["edge", [-1, 2, 1, -1]],
    ["reflect", [-1, 2, 1, -1]],
    ["constant", [0, 0, 0, -4]],
  ])("%s %o", async (mode, pads) => {
    const initializers = { p: longs(...pads), v: scalar(1.5) };
    const nodes = [
      node("Pad", mode === "constant" ? ["x", "p", "v"] : ["x", "p"], ["y"], { mode }),
    ];
    await agree({ nodes, initializers, inputs: { x: [3, 4] } }, { x: x34 });
    await agree({ nodes, initializers, inputs: { x: ["n", 4] } }, { x: x34 }).catch((error) => {
      // What mirrors or repeats an axis must know its size.
      if (mode === "constant") throw error;
    });
  });
});

describe("shapes in int32", () => {
  it("Shape, Cast, Slice, Mul, Concat and Reshape, as tf2onnx writes them", async () => {
    const parts: Tiny = {
      nodes: [
        node("Shape", ["x"], ["s"]),
        node("Cast", ["s"], ["s32"], { to: INT32 }),
        node("Slice", ["s32", "from", "to"], ["s0"]),
        node("Mul", ["s0", "two"], ["twice"]),
        node("Concat", ["twice", "rest"], ["target"], { axis: 0 }),
        node("Cast", ["target"], ["t64"], { to: 7 }),
        node("Reshape", ["x", "t64"]),
      ],
      initializers: { from: longs(0), to: longs(1), two: ints([1], 2), rest: ints([1], -1) },
      inputs: { x: ["n", 4] },
    };
    await agree(parts, { x: x34 });
  });

  it("sizes and positions as outputs", async () => {
    const parts: Tiny = {
      nodes: [
        node("Shape", ["x"], ["shape"]),
        node("Gather", ["shape", "zero"], ["n"]),
        node("Range", ["zero", "n", "one"], ["range"]),
        node("Unsqueeze", ["range", "axis"], ["column"]),
      ],
      initializers: { zero: long(0), one: long(1), axis: longs(1) },
      inputs: { x: ["n", 4] },
      outputs: ["shape", "column", "n"],
      types: { shape: 7, column: 7, n: 7 },
    };
    await agree(parts, { x: x34 });
  });
});

it("windows of step 1 take an open height and width", async () => {
  const window = { kernel_shape: [3, 3], pads: [1, 0, 1, 0] };
  const parts: Tiny = {
    nodes: [
      node("Conv", ["x", "w"], ["c"], { ...window, dilations: [1, 2] }),
      node("MaxPool", ["c"], ["p"], window),
      node("AveragePool", ["p"], ["y"], { kernel_shape: [2, 2] }),
    ],
    initializers: { w: floats([2, 1, 3, 3], Math.sin) },
    inputs: { x: ["n", 1, "h", "w"] },
  };
  for (const [h, w] of [
    [4, 9],
    [7, 12],
  ] as const)
    await agree(parts, { x: floats([2, 1, h, w], Math.cos) });
});

it("a causal mask with what came before: two ranges compared", async () => {
  const parts: Tiny = {
    nodes: [
      node("Shape", ["x"], ["s"]),
      node("Gather", ["s", "i0"], ["n"]),
      node("Shape", ["past"], ["ps"]),
      node("Gather", ["ps", "i0"], ["p"]),
      node("Add", ["n", "p"], ["total"]),
      node("Range", ["p", "total", "one"], ["rows"]),
      node("Range", ["i0", "total", "one"], ["columns"]),
      node("Unsqueeze", ["rows", "a1"], ["r"]),
      node("Unsqueeze", ["columns", "a0"], ["c"]),
      node("LessOrEqual", ["c", "r"], ["mask"]),
      node("Cast", ["mask"], ["y"], { to: 1 }),
      node("Cast", ["columns"], ["z"], { to: 1 }),
    ],
    initializers: { i0: long(0), one: long(1), a0: longs(0), a1: longs(1) },
    inputs: { x: ["n", 2], past: ["p", 2] },
    outputs: ["y", "z"],
  };
  const got = await agree(parts, { x: floats([3, 2]), past: floats([2, 2]) });
  expect([...got["y"]!.data].map(Number)).toEqual([1, 1, 1, 0, 0, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1]);
});

describe("quantization of 16 bits", () => {
  const wide = (name: string, dataType: number, dims: number[], values: number[]) => ({
    name,
    dataType,
    dims,
    payload: {
      field: "raw_data" as const,
      bytes: new Uint8Array(Int16Array.from(values).buffer),
    },
    offset: 0,
  });
  it.each([
    ["uint16", DataType.UINT16, 40000],
    ["int16", DataType.INT16, -300],
  ])("%s, per tensor and per channel, activations and weights", async (_, type, zero) => {
    const protos = [
      wide("z", type, [], [zero]),
      wide("zs", type, [4], [zero, 0, 7, zero]),
      wide("w", type, [2, 4], [0, 1, 2, 3, 30000, 5, 60, 700]),
    ];
    const parts: Tiny = {
      opset: 21,
      nodes: [
        node("QuantizeLinear", ["x", "s", "z"], ["q"]),
        node("Transpose", ["q"], ["qt"]),
        node("DequantizeLinear", ["qt", "s", "z"], ["back"]),
        node("QuantizeLinear", ["x", "ss", "zs"], ["p"], { axis: 1 }),
        node("DequantizeLinear", ["p", "ss", "zs"], ["channels"], { axis: 1 }),
        node("DequantizeLinear", ["w", "s"], ["weights"]),
      ],
      initializers: {
        s: scalar(1 / 9000),
        ss: floats([4], (at) => (at + 1) / 10000),
      },
      protos,
      inputs: { x: [3, 4] },
      outputs: ["back", "channels", "weights"],
    };
    await agree(parts, { x: x34 });
  });

  it("what computes on 16 bits otherwise is refused by name", () => {
    const protos = [wide("z", DataType.UINT16, [], [3])];
    const nodes = [node("QuantizeLinear", ["x", "s", "z"], ["q"]), node("Abs", ["q"])];
    const parts = { opset: 21, nodes, protos, initializers: { s: scalar(1) } };
    expect(() => importOnnx(tiny(parts))).toThrow(
      'Abs "Abs_0": dtype uint16: only QuantizeLinear and DequantizeLinear read it',
    );
  });
});

it("FLOAT16 and DOUBLE ports, casts and constants are float32", () => {
  const parts: Tiny = {
    nodes: [
      node("Cast", ["x"], ["d"], { to: DataType.DOUBLE }),
      node("Mul", ["d", "m"], ["p"]),
      node("Cast", ["p"], ["h"], { to: DataType.FLOAT16 }),
      node("Cast", ["h"], ["y"], { to: 1 }),
    ],
    protos: [
      {
        name: "m",
        dataType: DataType.DOUBLE,
        dims: [2],
        payload: {
          field: "raw_data",
          bytes: new Uint8Array(Float64Array.of(0.1, -Number.MAX_VALUE).buffer),
        },
        offset: 0,
      },
    ],
    inputs: { x: [2] },
    types: { x: DataType.FLOAT16, y: DataType.DOUBLE },
  };
  const graph = importOnnx(tiny(parts));
  expect(graph.values.get("x")!.dtype).toBe("float32");
  const m = [...graph.constants.values()][0] as Tensor;
  expect(m.data).toEqual(Float32Array.of(0.1, -3.4028234663852886e38));
});

it("sizes without a name are sizes of their own", () => {
  const graph = importOnnx(
    tiny({
      nodes: [node("Relu", ["x"])],
      inputs: { x: ["?", -1, 0, "-1", "unk__12", "n", "n", 3] },
    }),
  );
  expect(graph.values.get("x")!.shape).toEqual([
    "x_0",
    "x_1",
    "x_2",
    "x_3",
    "unk__12",
    "n",
    "n",
    3,
  ]);
});
