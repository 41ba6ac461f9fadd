// Each op family: what the file says in several ways has one spelling in the graph.

import { describe, expect, it } from "vitest";
import { importOnnx } from "../../../src/formats/onnx/import.ts";
import { DataType } from "../../../src/formats/onnx/proto.ts";
import type { Node, NodeOf, Op } from "../../../src/graph/node.ts";
import { tensor } from "../../../src/tensor/tensor.ts";
import {
  float,
  floats,
  imported,
  long,
  longs,
  messageOf,
  node,
  scalar,
  tiny,
} from "./onnxModels.ts";
import type { Tiny } from "./onnxModels.ts";

/** The first node of type `op` in the imported model. */
function find<O extends Op>(op: O, parts: Tiny): NodeOf<O> {
  const graph = importOnnx(tiny(parts));
  const found = graph.nodes.find((one: Node) => one.op === op);
  if (!found) throw new Error(`no ${op} among ${graph.nodes.map((one) => one.op).join()}`);
  return found as NodeOf<O>;
}

describe("windows", () => {
  const w = floats([4, 2, 3, 3]);
  const conv = (attributes: Parameters<typeof node>[3], size = 5) =>
    find("Conv", {
      nodes: [node("Conv", ["x", "w"], ["y"], attributes)],
      inputs: { x: [1, 2, size, size] },
      initializers: { w },
    });

  it("Conv keeps asymmetric pads, strides, dilations and group", () => {
    const parts = {
      nodes: [
        node("Conv", ["x", "w", "b"], ["y"], {
          kernel_shape: [3, 3],
          pads: [0, 1, 2, 3],
          strides: [2, 1],
          dilations: [1, 2],
          group: 2,
        }),
      ],
      inputs: { x: ["batch", 4, 9, 9] },
      initializers: { w, b: floats([4]) },
    };
    expect(imported(parts)).toMatchInlineSnapshot(`
      [
        "y: float32[batch, 4, 5, 9] = Conv(x, w, b) kernel=[3,3] strides=[2,1] dilations=[1,2] pads=[0,1,2,3] group=2",
      ]
    `);
  });

  it.each([
    ["SAME_UPPER", 5, 2, [1, 1, 1, 1]],
    ["SAME_UPPER", 6, 2, [0, 0, 1, 1]],
    ["SAME_LOWER", 6, 2, [1, 1, 0, 0]],
    ["VALID", 6, 2, [0, 0, 0, 0]],
    ["SAME_UPPER", 6, 1, [1, 1, 1, 1]],
  ])("auto_pad %s of size %i and stride %i pads %j", (auto_pad, size, stride, pads) => {
    expect(conv({ auto_pad, strides: [stride, stride] }, size).pads).toEqual(pads);
  });

  it("SAME padding of a symbolic size needs the size", () => {
    const parts: Tiny = {
      nodes: [node("Conv", ["x", "w"], ["y"], { auto_pad: "SAME_UPPER", strides: [2, 2] })],
      inputs: { x: [1, 2, "height", 6] },
      initializers: { w },
    };
    expect(messageOf(() => importOnnx(tiny(parts)))).toMatchInlineSnapshot(
      `"InputError: Conv "Conv_0": auto_pad needs known sizes; got "height". Fix it when loading: load(bytes, { dims: { height: 224 } })."`,
    );
    const graph = importOnnx(tiny(parts), { dims: { height: 8 } });
    expect(graph.values.get("y")?.shape).toEqual([1, 4, 4, 3]);
  });

  it("a 1-D Conv becomes Unsqueeze, Conv of height 1, Squeeze; its filter is reshaped at import", () => {
    const parts = {
      nodes: [node("Conv", ["x", "w"], ["y"], { pads: [1, 2], strides: [2] }, { name: "c" })],
      inputs: { x: [1, 2, 8] },
      initializers: { w: floats([4, 2, 3]) },
    };
    expect(imported(parts)).toMatchInlineSnapshot(`
      [
        "c_input_2d: float32[1, 2, 1, 8] = Unsqueeze(x) axes=[2]",
        "y_2d: float32[1, 4, 1, 5] = Conv(c_input_2d, c_filter_2d) kernel=[1,3] strides=[1,2] dilations=[1,1] pads=[0,1,0,2] group=1",
        "y: float32[1, 4, 5] = Squeeze(y_2d) axes=[2]",
      ]
    `);
  });

  it("a 3-D Conv is refused", () => {
    const parts = {
      nodes: [node("Conv", ["x", "w"])],
      inputs: { x: [1, 2, 4, 4, 4] },
      initializers: { w: floats([2, 2, 1, 1, 1]) },
    };
    expect(messageOf(() => importOnnx(tiny(parts)))).toMatchInlineSnapshot(`
      "UnsupportedError: import: 1 unsupported node(s):
        Conv "Conv_0": windows over 3 axes are not supported; 1 or 2 are
      Export the model without these, or replace them before import (README: supported ONNX ops)."
    `);
  });

  it("pools keep ceil_mode and count_include_pad; MaxPool in 1-D is lifted", () => {
    const average = find("AveragePool", {
      nodes: [
        node("AveragePool", ["x"], ["y"], {
          kernel_shape: [3, 3],
          strides: [2, 2],
          ceil_mode: 1,
          count_include_pad: 1,
        }),
      ],
    });
    expect(average).toMatchObject({ ceilMode: true, countIncludePad: true, kernel: [3, 3] });
    const lines = imported({
      nodes: [node("MaxPool", ["x"], ["y"], { kernel_shape: [2], strides: [2] })],
      inputs: { x: [1, 3, 8] },
    });
    expect(lines).toMatchInlineSnapshot(`
      [
        "MaxPool_0_input_2d: float32[1, 3, 1, 8] = Unsqueeze(x) axes=[2]",
        "y_2d: float32[1, 3, 1, 4] = MaxPool(MaxPool_0_input_2d) kernel=[1,2] strides=[1,2] dilations=[1,1] pads=[0,0,0,0] ceilMode=false",
        "y: float32[1, 3, 4] = Squeeze(y_2d) axes=[2]",
      ]
    `);
  });

  it("MaxPool with Indices that something reads is refused, one that nothing reads is not", () => {
    const pool = node("MaxPool", ["x"], ["y", "i"], { kernel_shape: [2, 2] });
    expect(find("MaxPool", { nodes: [pool] }).outputs).toEqual(["y"]);
    expect(messageOf(() => importOnnx(tiny({ nodes: [pool], outputs: ["y", "i"] })))).toContain(
      "the Indices output is not supported",
    );
  });
});

describe("element-wise ops", () => {
  it("Clip has its bounds in attributes before opset 11 and in inputs since", () => {
    const old = node("Clip", ["x"], ["y"], { min: float(0), max: float(6) });
    expect(find("Clip", { nodes: [old], opset: 10 })).toMatchObject({ low: 0, high: 6 });
    const parts = { nodes: [node("Clip", ["x", "", "high"])], initializers: { high: scalar(6) } };
    expect(find("Clip", parts)).toMatchObject({ low: -Infinity, high: 6 });
  });

  it("Clip with min > max has max for both bounds: the standard says max everywhere", () => {
    const old = node("Clip", ["x"], ["y"], { min: float(7), max: float(6) });
    expect(find("Clip", { nodes: [old], opset: 10 })).toMatchObject({ low: 6, high: 6 });
    const bytes = {
      low: tensor("int8", [], Int8Array.of(5)),
      high: tensor("int8", [], Int8Array.of(-3)),
    };
    const parts = {
      nodes: [node("Clip", ["x", "low", "high"])],
      types: { x: DataType.INT8, y: DataType.INT8 },
    };
    expect(find("Clip", { ...parts, initializers: bytes })).toMatchObject({ low: -3, high: -3 });
    const computed = [node("Neg", ["a"], ["b"]), node("Clip", ["x", "a", "b"])];
    const made = { nodes: computed, initializers: { a: scalar(2) } };
    expect(find("Clip", made)).toMatchObject({ low: -2, high: -2 });
  });

  it("Concat of other numbers of axes is refused", () => {
    const parts: Tiny = {
      nodes: [node("Concat", ["x", "w"], ["y"], { axis: 0 })],
      inputs: { x: [3] },
      initializers: { w: floats([3, 1]) },
    };
    expect(messageOf(() => importOnnx(tiny(parts)))).toMatchInlineSnapshot(
      `"InputError: Concat "Concat_0": inputs must have one number of axes; got [3] and [3, 1]. Check the model file; its shapes contradict each other."`,
    );
  });

  it.each<[string, Tiny]>([
    ["a second output", { nodes: [node("ArgMax", ["x"], ["y", "z"])], types: { y: 7 } }],
    ["too many inputs", { nodes: [node("Relu", ["x", "x"])] }],
    ["an attribute of another opset", { nodes: [node("Softmax", ["x"], ["y"], { momentum: 1 })] }],
    [
      "an attribute of another type",
      { nodes: [node("Softmax", ["x"], ["y"], { axis: float(1) })] },
    ],
    ["an op that comes later", { nodes: [node("Gelu", ["x"])] }],
    [
      "an element type that it does not take",
      {
        nodes: [node("Add", ["x", "w"])],
        initializers: { w: tensor("float16", [], Uint16Array.of(0x3c00)) },
      },
    ],
  ])("a node with %s is refused", (_, parts) => {
    expect(messageOf(() => importOnnx(tiny(parts)))).toMatchSnapshot();
  });

  it("LeakyRelu and HardSigmoid have the standard's defaults, as f32", () => {
    expect(find("LeakyRelu", { nodes: [node("LeakyRelu", ["x"])] }).alpha).toBe(Math.fround(0.01));
    const { alpha, beta } = find("HardSigmoid", { nodes: [node("HardSigmoid", ["x"])] });
    expect([alpha, beta]).toEqual([Math.fround(0.2), 0.5]);
  });

  it.each(["Relu", "Sigmoid", "HardSwish", "Tanh", "Identity"] as const)("%s is imported", (op) => {
    expect(find(op, { nodes: [node(op, ["x"])] })).toMatchObject({
      name: `${op}_0`,
      inputs: ["x"],
    });
  });

  it.each(["Add", "Sub", "Mul", "Div"] as const)("%s broadcasts", (op) => {
    const parts = {
      nodes: [node(op, ["x", "c"])],
      inputs: { x: ["n", 3] },
      initializers: { c: floats([2, 1, 1]) },
    };
    expect(importOnnx(tiny(parts)).values.get("y")?.shape).toEqual([2, "n", 3]);
  });

  it("Dropout is Identity; a mask that nothing reads goes away", () => {
    expect(find("Identity", { nodes: [node("Dropout", ["x"], ["y", "mask"])] }).outputs).toEqual([
      "y",
    ]);
  });

  it("Cast keeps its type, and types without a place here are refused by name", () => {
    expect(find("Cast", { nodes: [node("Cast", ["x"], ["y"], { to: 1 })] }).to).toBe("float32");
    expect(
      messageOf(() => importOnnx(tiny({ nodes: [node("Cast", ["x"], ["y"], { to: 16 })] }))),
    ).toContain("casting to BFLOAT16 is not supported");
  });
});

describe("sums over an axis", () => {
  it("Gemm and MatMul keep their attributes", () => {
    const parts = {
      nodes: [
        node("Gemm", ["x", "w", "c"], ["g"], { transB: 1, alpha: float(0.5) }),
        node("MatMul", ["g", "v"]),
      ],
      inputs: { x: ["n", 3] },
      initializers: { w: floats([2, 3]), c: floats([2]), v: floats([2, 5]) },
    };
    expect(imported(parts)).toMatchInlineSnapshot(`
      [
        "g: float32[n, 2] = Gemm(x, w, c) alpha=0.5 beta=1 transA=false transB=true",
        "y: float32[n, 5] = MatMul(g, v)",
      ]
    `);
  });

  it("BatchNormalization is inference only", () => {
    const initializers = { a: floats([2]), b: floats([2]), m: floats([2]), v: floats([2]) };
    const inputs = ["x", "a", "b", "m", "v"];
    const plain = node("BatchNormalization", inputs, ["y"], { epsilon: float(0.001) });
    const found = find("BatchNormalization", { nodes: [plain], initializers });
    expect(found.epsilon).toBe(Math.fround(0.001));
    const training = node("BatchNormalization", inputs, ["y"], { training_mode: 1 });
    expect(messageOf(() => importOnnx(tiny({ nodes: [training], initializers })))).toContain(
      'BatchNormalization "BatchNormalization_0": training_mode is not supported',
    );
  });

  it("ReduceSum has axes as input since opset 13, the others since 18; over no axes each stays alone", () => {
    for (const opset of [13, 17]) {
      const sum = { nodes: [node("ReduceSum", ["x", "a"])], opset, initializers: { a: longs(1) } };
      expect(find("ReduceSum", sum)).toMatchObject({ axes: [1], keepdims: true });
      const length = { nodes: [node("ReduceL2", ["x"], ["y"], { axes: [-1] })], opset };
      expect(find("ReduceL2", length)).toMatchObject({ axes: [3] });
    }
    for (const [op, plain] of [
      ["ReduceProd", "Identity"],
      ["ReduceL1", "Abs"],
      ["ReduceL2", "Abs"],
      ["ReduceSumSquare", "Mul"],
    ] as const) {
      const noop = node(op, ["x"], ["y"], { noop_with_empty_axes: 1 });
      expect(find(plain, { nodes: [noop], opset: 18 }).inputs[0]).toBe("x");
    }
  });

  it("ArgMax and ArgMin give int64; integers are refused", () => {
    const attributes = { axis: -2, keepdims: 0, select_last_index: 1 };
    const arg = [node("ArgMin", ["x"], ["y"], attributes)];
    const parts = { nodes: arg, opset: 13, types: { y: DataType.INT64 } };
    expect(find("ArgMin", parts)).toMatchObject({
      axis: 2,
      keepdims: false,
      selectLastIndex: true,
    });
    expect(importOnnx(tiny(parts)).values.get("y")?.dtype).toBe("int64");
    const nodes = [node("ArgMax", ["x"], ["y"]), node("ReduceSum", ["y"], ["z"])];
    expect(messageOf(() => importOnnx(tiny({ nodes, opset: 13, outputs: ["z"] })))).toContain(
      "int64",
    );
  });

  it("ReduceMean has axes as attribute, as input, or none", () => {
    const attribute = node("ReduceMean", ["x"], ["y"], { axes: [-1, 2], keepdims: 0 });
    const parts = { nodes: [attribute], opset: 13 };
    expect(find("ReduceMean", parts)).toMatchObject({ axes: [2, 3], keepdims: false });
    const input = {
      nodes: [node("ReduceMean", ["x", "a"])],
      opset: 18,
      initializers: { a: longs(1) },
    };
    expect(find("ReduceMean", input)).toMatchObject({ axes: [1], keepdims: true });
    expect(find("ReduceMean", { nodes: [node("ReduceMean", ["x"])] }).axes).toEqual([0, 1, 2, 3]);
    const noop = node("ReduceMean", ["x"], ["y"], { noop_with_empty_axes: 1 });
    expect(find("Identity", { nodes: [noop], opset: 18 }).inputs).toEqual(["x"]);
  });

  it("Softmax before opset 13 works on a matrix: rows are the axes before `axis`", () => {
    const softmax = node("Softmax", ["x"], ["y"], { axis: 1 }, { name: "s" });
    expect(imported({ nodes: [softmax], opset: 11 })).toMatchInlineSnapshot(`
      [
        "y_2d: float32[1, 32] = Flatten(x) axis=1",
        "y_rows: float32[1, 32] = Softmax(y_2d) axis=1",
        "y: float32[1, 2, 4, 4] = Reshape(y_rows) shape=[1,2,4,4]",
      ]
    `);
    const flat = { nodes: [softmax], opset: 11, inputs: { x: ["n", 10, 1, 1] } };
    expect(find("Softmax", flat).axis).toBe(1);
    expect(find("Softmax", { nodes: [node("Softmax", ["x"])], opset: 13 }).axis).toBe(3);
  });
});

describe("movement", () => {
  const x = { x: [1, 2, 4, 4] };
  it.each([
    ["Flatten", node("Flatten", ["x"], ["y"], { axis: -3 }), {}, { axis: 1 }],
    ["Reshape", node("Reshape", ["x", "s"]), { s: longs(0, -1) }, { shape: [0, -1] }],
    ["Transpose", node("Transpose", ["x"]), {}, { perm: [3, 2, 1, 0] }],
    ["Squeeze", node("Squeeze", ["x"]), {}, { axes: [0] }],
    ["Squeeze", node("Squeeze", ["x", "a"]), { a: longs(-4) }, { axes: [0] }],
    ["Unsqueeze", node("Unsqueeze", ["x", "a"]), { a: longs(-1, 0) }, { axes: [0, 5] }],
    ["Concat", node("Concat", ["x", "x"], ["y"], { axis: -1 }), {}, { axis: 3 }],
    [
      "Split",
      node("Split", ["x", "s"], ["y", "z"], { axis: 2 }),
      { s: longs(1, 3) },
      { sizes: [1, 3] },
    ],
    ["Split", node("Split", ["x"], ["y", "z"], { axis: 1 }), {}, { sizes: [1, 1] }],
  ] as const)("%s has one spelling", (op, one, initializers, expected) => {
    expect(find(op, { nodes: [one], inputs: x, initializers })).toMatchObject(expected);
  });

  it("Split into num_outputs may leave the last part smaller", () => {
    const split = node("Split", ["x"], ["y", "b", "c"], { axis: 2, num_outputs: 3 });
    expect(find("Split", { nodes: [split], opset: 18 }).sizes).toEqual([2, 2, 0]);
  });

  it("Pad takes attributes, inputs, and axes", () => {
    const old = node("Pad", ["x"], ["y"], { pads: [0, 0, 1, 2, 0, 0, 3, 4], value: float(5) });
    const pads = [0, 0, 1, 2, 0, 0, 3, 4];
    expect(find("Pad", { nodes: [old], opset: 10 })).toMatchObject({ pads, value: 5 });
    const parts = {
      nodes: [node("Pad", ["x", "p", "", "a"])],
      opset: 18,
      initializers: { p: longs(1, 3, 2, 4), a: longs(2, -1) },
    };
    expect(find("Pad", parts)).toMatchObject({ pads: [0, 0, 1, 3, 0, 0, 2, 4], value: 0 });
    const mode = (name: string) => node("Pad", ["x", "p", "", "a"], ["y"], { mode: name });
    expect(find("Pad", { ...parts, nodes: [mode("edge")] })).toMatchObject({ mode: "edge" });
    const message = (name: string) =>
      messageOf(() => importOnnx(tiny({ ...parts, nodes: [mode(name)] })));
    expect(message("wrap")).toContain(
      'mode "wrap" is not supported; "constant", "reflect" and "edge" are',
    );
    // x has 4 columns, and a mirror shows at most 3 of them.
    expect(message("reflect")).toContain(
      'Pad "Pad_0": mode "reflect" pads axis 3 of size 4 by 0 … 3; got 3 before and 4 behind',
    );
  });

  it("Slice takes attributes and inputs; int64 ends are clamped to what an axis can reach", () => {
    const old = node("Slice", ["x"], ["y"], { starts: [1], ends: [3], axes: [2] });
    expect(find("Slice", { nodes: [old], opset: 9 })).toMatchObject({ ends: [3], steps: [1] });
    const far = tensor("int64", [1], BigInt64Array.of(2n ** 63n - 1n));
    const parts = {
      nodes: [node("Slice", ["x", "s", "e", "a", "t"])],
      initializers: { s: longs(0), e: far, a: longs(-1), t: longs(2) },
    };
    expect(find("Slice", parts)).toMatchObject({ axes: [3], ends: [2 ** 31 - 1], steps: [2] });
  });
});

describe("quantization", () => {
  const initializers = { s: scalar(0.5), z: tensor("uint8", [], Uint8Array.of(3)) };
  const pair = [
    node("QuantizeLinear", ["x", "s", "z"], ["q"]),
    node("DequantizeLinear", ["q", "s", "z"]),
  ];

  it("a QDQ pair becomes Quantize and Dequantize; the type carries the numbers", () => {
    expect(imported({ nodes: pair, initializers })).toMatchInlineSnapshot(`
      [
        "q: uint8[1, 2, 4, 4]·(0.5000, 3) = Quantize(x)",
        "y: float32[1, 2, 4, 4] = Dequantize(q)",
      ]
    `);
  });

  it.each([
    [13, ["x", "s"], {}, "uint8", 0],
    [21, ["x", "s"], { output_dtype: 3 }, "int8", 0],
    [10, ["x", "s", "z"], {}, "uint8", 3],
  ])("opset %i, inputs %j, attributes %j quantize to %s with zero point %i", (...row) => {
    const [opset, inputs, attributes, dtype, zero] = row;
    const zeroPoint = inputs[2]
      ? ["q", "s", "z"]
      : dtype === "int8"
        ? ["q", "s", "zs"]
        : ["q", "s"];
    const graph = importOnnx(
      tiny({
        opset,
        nodes: [
          node("QuantizeLinear", inputs, ["q"], attributes),
          node("DequantizeLinear", zeroPoint),
        ],
        initializers: { ...initializers, zs: tensor("int8", [], Int8Array.of(0)) },
      }),
    );
    expect(graph.values.get("q")).toMatchObject({ dtype, quant: { dtype } });
    expect([...(graph.values.get("q")?.quant?.zeroPoint ?? [])]).toEqual([zero]);
  });

  it("an int8 initializer stays q: a constant with scales per axis, and Dequantize", () => {
    const graph = importOnnx(
      tiny({
        nodes: [
          node("DequantizeLinear", ["w", "ws"], ["wf"], { axis: 0 }),
          node("DequantizeLinear", ["b", "ws"], ["bf"], { axis: 0 }),
          node("Conv", ["x", "wf", "bf"]),
        ],
        initializers: {
          w: tensor("int8", [2, 2, 1, 1], Int8Array.of(1, -2, 3, -4)),
          b: tensor("int32", [2], Int32Array.of(100, -100)),
          ws: floats([2], (at) => at + 1),
        },
      }),
    );
    expect(graph.nodes.map(({ op }) => op)).toEqual(["Dequantize", "Dequantize", "Conv"]);
    const quant = {
      dtype: "int8",
      axis: 0,
      scale: Float32Array.of(1, 2),
      zeroPoint: new Int32Array(2),
    };
    expect(graph.values.get("w")?.quant).toEqual(quant);
    expect(graph.values.get("b")?.quant).toEqual({ ...quant, dtype: "int32" });
    expect(graph.constants.get("w")?.data).toEqual(Int8Array.of(1, -2, 3, -4));
    expect(graph.constants.has("ws")).toBe(false);
  });

  it("one initializer with two scales becomes two constants", () => {
    const graph = importOnnx(
      tiny({
        nodes: [
          node("DequantizeLinear", ["w", "s"], ["a"]),
          node("DequantizeLinear", ["w", "s2"], ["b"]),
          node("DequantizeLinear", ["w", "s"], ["c"]),
          node("Concat", ["a", "b", "c"], ["y"], { axis: 0 }),
        ],
        inputs: {},
        initializers: {
          w: tensor("int8", [1], Int8Array.of(7)),
          s: scalar(0.5),
          s2: scalar(0.25),
        },
      }),
    );
    expect(graph.nodes.slice(0, 3).map(({ inputs }) => inputs)).toEqual([["w"], ["w_1"], ["w"]]);
  });

  it.each([
    [
      "block_size",
      node("QuantizeLinear", ["x", "s", "z"], ["q"], { block_size: 16 }),
      "block_size",
    ],
    ["float8", node("QuantizeLinear", ["x", "s"], ["q"], { output_dtype: 17 }), "FLOAT8E4M3FN"],
  ])("%s is refused", (_, one, words) => {
    const nodes = [one, node("DequantizeLinear", ["q", "s"])];
    expect(messageOf(() => importOnnx(tiny({ nodes, initializers, opset: 21 })))).toContain(words);
  });

  it("int32 with a zero point is spelled out: the difference in integers, then the scale", () => {
    const parts = {
      nodes: [node("DequantizeLinear", ["b", "s", "z"], ["f"]), node("Add", ["x", "f"])],
      initializers: {
        b: tensor("int32", [], Int32Array.of(5)),
        s: scalar(1),
        z: tensor("int32", [], Int32Array.of(1)),
      },
    };
    const graph = importOnnx(tiny(parts));
    expect(graph.nodes.map(({ op }) => op)).toEqual(["Add"]);
    expect([...graph.constants.values()].map(({ data }) => [...data])).toEqual([[4]]);
  });

  it("what moves elements keeps the quantization of its input", () => {
    const nodes = [
      pair[0]!,
      node("Reshape", ["q", "shape"], ["r"]),
      node("DequantizeLinear", ["r", "s", "z"]),
    ];
    const graph = importOnnx(tiny({ nodes, initializers: { ...initializers, shape: longs(-1) } }));
    expect(graph.values.get("r")).toEqual({ ...graph.values.get("q"), shape: [32] });
  });
});

describe("names", () => {
  it("empty and repeated node names get stable ones", () => {
    const nodes = [
      node("Relu", ["x"], ["a"]),
      node("Relu", ["a"], ["b"], {}, { name: "r" }),
      node("Relu", ["b"], ["c"], {}, { name: "r" }),
      node("Relu", ["c"]),
    ];
    const names = importOnnx(tiny({ nodes })).nodes.map(({ name }) => name);
    expect(names).toEqual(["Relu_0", "r", "r_1", "Relu_3"]);
  });

  it("an initializer listed as input (IR version 3) is a constant, an unused one is dropped", () => {
    const parts = {
      nodes: [node("Add", ["x", "c"])],
      inputs: { x: [2], c: [2] },
      initializers: { c: floats([2]), unused: long(1) },
    };
    const graph = importOnnx(tiny(parts));
    expect(graph.inputs).toEqual(["x"]);
    expect([...graph.constants.keys()]).toEqual(["c"]);
  });
});
