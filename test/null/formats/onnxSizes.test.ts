// Constant folding, and lists of sizes of which some are names: what exporters write around view().

import { describe, expect, it } from "vitest";
import { importOnnx } from "../../../src/formats/onnx/import.ts";
import { tensor } from "../../../src/tensor/tensor.ts";
import { tensorProto } from "../../../src/formats/onnx/draft.ts";
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

const view = [
  node("Shape", ["x"], ["shape"]),
  node("Constant", [], ["zero"], { value_int: 0 }),
  node("Gather", ["shape", "zero"], ["batch"], { axis: 0 }),
  node("Unsqueeze", ["batch", "axes"], ["list"]),
  node("Concat", ["list", "rest"], ["target"], { axis: 0 }),
  node("Reshape", ["x", "target"], ["y"], {}, { name: "view" }),
];
const initializers = { axes: longs(0), rest: longs(-1) };

describe("sizes", () => {
  it("x.view(x.size(0), -1) ends as one Reshape with a symbolic size", () => {
    const inputs = { x: ["batch", 3, 4, 4] };
    expect(imported({ nodes: view, inputs, initializers })).toEqual([
      'y: float32[batch, 48] = Reshape(x) shape=["batch",-1]',
    ]);
  });

  it("the dims option makes it numbers, and an unknown name is an error", () => {
    const bytes = tiny({ nodes: view, inputs: { x: ["batch", 3, 4, 4] }, initializers });
    const graph = importOnnx(bytes, { dims: { batch: 2 } });
    expect(graph.nodes[0]).toMatchObject({ op: "Reshape", shape: [2, -1] });
    expect(messageOf(() => importOnnx(bytes, { dims: { n: 2 } }))).toMatchInlineSnapshot(
      `"InputError: dims: the model has no size "n"; got sizes batch. Leave it out."`,
    );
    expect(messageOf(() => importOnnx(bytes, { dims: { batch: 0.5 } }))).toMatchInlineSnapshot(
      `"InputError: dims: size "batch" must be a positive integer; got 0.5. Pass { batch: 1 }."`,
    );
  });

  it("Slice, Cast, Squeeze, Mul by 1 and arithmetic on known entries carry names through", () => {
    const nodes = [
      node("Shape", ["x"], ["all"]),
      node("Slice", ["all", "from", "to"], ["head"]),
      node("Cast", ["head", ""].slice(0, 1), ["cast"], { to: 7 }),
      node("Mul", ["cast", "one"], ["same"]),
      node("Shape", ["x"], ["tail"], { start: 2, end: 4 }),
      node("Gather", ["tail", "index"], ["h"]),
      node("Mul", ["h", "four"], ["sixteen"]),
      node("Unsqueeze", ["sixteen", "from"], ["sixteens"]),
      node("Concat", ["same", "sixteens"], ["target"], { axis: 0 }),
      node("Reshape", ["x", "target"]),
    ];
    const lines = imported({
      nodes,
      inputs: { x: ["batch", 3, 4, 4] },
      initializers: {
        from: longs(0),
        to: longs(2),
        one: long(1),
        index: long(0),
        four: long(4),
      },
    });
    expect(lines).toEqual(['y: float32[batch, 3, 16] = Reshape(x) shape=["batch",3,16]']);
  });

  it("arithmetic that would need the value of a name is refused", () => {
    const nodes = [
      node("Shape", ["x"], ["all"]),
      node("Div", ["all", "two"], ["half"]),
      node("Reshape", ["x", "half"]),
    ];
    const parts = { nodes, inputs: { x: ["batch", 4] }, initializers: { two: long(2) } };
    expect(messageOf(() => importOnnx(tiny(parts)))).toMatchInlineSnapshot(`
      "UnsupportedError: import: 1 unsupported node(s):
        Div "Div_0": Div of the sizes "batch" and "2", unknown at import; only sums, differences, products and exact quotients stay open
      Export the model without these, or replace them before import (README: supported ONNX ops)."
    `);
  });

  it("a Reshape to a value computed at run time is refused", () => {
    const parts = {
      nodes: [node("Cast", ["t"], ["target"], { to: 7 }), node("Reshape", ["x", "target"])],
      inputs: { x: [4], t: [2] },
    };
    expect(messageOf(() => importOnnx(tiny(parts)))).toContain(
      "the target shape must be known at import; got a value computed at run time",
    );
  });

  it("a whole slice of a symbolic axis keeps it", () => {
    const parts = {
      nodes: [node("Slice", ["x", "s", "e", "a"])],
      inputs: { x: ["batch", 4] },
      initializers: { s: longs(0, 1), e: longs(2 ** 40, 3), a: longs(0, 1) },
    };
    expect(importOnnx(tiny(parts)).values.get("y")?.shape).toEqual(["batch", 2]);
  });
});

describe("folding", () => {
  /** The constant that the model adds to x. */
  const folded = (nodes: ReturnType<typeof node>[], initializers = {}, opset = 17) => {
    const all = [...nodes, node("Add", ["x", "c"])];
    const graph = importOnnx(tiny({ nodes: all, initializers, opset, inputs: { x: [1] } }));
    expect(graph.nodes.map(({ op }) => op)).toEqual(["Add"]);
    return graph.constants.get("c");
  };
  const m = floats([2, 3]);

  it.each([
    ["Transpose", [node("Transpose", ["m"], ["c"])], [3, 2], [0, 3, 1, 4, 2, 5]],
    ["Slice", [node("Slice", ["m", "one", "far", "one"], ["c"])], [2, 2], [1, 2, 4, 5]],
    ["Split", [node("Split", ["m"], ["d", "c"], { axis: 0 })], [1, 3], [3, 4, 5]],
    [
      "Concat",
      [node("Concat", ["m", "m"], ["c"], { axis: 1 })],
      [2, 6],
      [0, 1, 2, 0, 1, 2, 3, 4, 5, 3, 4, 5],
    ],
    ["Gather", [node("Gather", ["m", "minus"], ["c"], { axis: 1 })], [2, 1], [2, 5]],
    ["Reshape", [node("Reshape", ["m", "minus"], ["c"])], [6], [0, 1, 2, 3, 4, 5]],
    ["Mul", [node("Mul", ["m", "half"], ["c"])], [2, 3], [0, 0.5, 1, 1.5, 2, 2.5]],
    [
      "Relu",
      [node("Sub", ["m", "two"], ["d"]), node("Relu", ["d"], ["c"])],
      [2, 3],
      [0, 0, 0, 1, 2, 3],
    ],
    ["Size", [node("Size", ["m"], ["n"]), node("Cast", ["n"], ["c"], { to: 1 })], [], [6]],
    ["Range", [node("Range", ["zero", "three", "half"], ["c"])], [6], [0, 0.5, 1, 1.5, 2, 2.5]],
    [
      "value_float",
      [node("Constant", [], ["c"], { value_float: float(0.1) })],
      [],
      [Math.fround(0.1)],
    ],
  ])("%s of constants is evaluated at import", (_, nodes, shape, data) => {
    const constant = folded(nodes, {
      m,
      one: longs(1),
      far: longs(99),
      minus: longs(-1),
      half: scalar(0.5),
      two: scalar(2),
      zero: scalar(0),
      three: scalar(3),
    });
    expect(constant).toEqual({ dtype: "float32", shape, data: Float32Array.from(data) });
  });

  it("ConstantOfShape repeats its value", () => {
    const value = {
      kind: "tensor",
      value: tensorProto(
        "",
        floats([1], () => 7),
      ),
    } as const;
    const constant = folded([node("ConstantOfShape", ["s"], ["c"], { value })], { s: longs(2, 2) });
    expect(constant).toEqual(floats([2, 2], () => 7));
  });

  it("integer division truncates toward zero and int64 stays exact beyond 2^53", () => {
    const big = tensor("int64", [2], BigInt64Array.of(2n ** 60n + 1n, -7n));
    const nodes = [node("Div", ["big", "two"], ["d"]), node("Cast", ["d"], ["c"], { to: 1 })];
    expect(folded(nodes, { big, two: long(2) })?.data).toEqual(Float32Array.of(2 ** 59, -3));
  });

  it("folding stops at limits.foldedElements, before it allocates", () => {
    const nodes = [node("Range", ["zero", "end", "one"], ["c"]), node("Equal", ["x", "c"])];
    const initializers = { zero: long(0), end: long(2 ** 30), one: long(1) };
    const bytes = tiny({ nodes, initializers, inputs: { x: [1] }, types: { x: 7 } });
    expect(messageOf(() => importOnnx(bytes))).toMatchInlineSnapshot(
      `"FormatError: ONNX: constants computed at import have more than 16777216 elements. Fold constants before export, or raise limits.foldedElements."`,
    );
  });

  it("a fill beyond the limit is one element and an Expand, and what moves it stays a node", () => {
    const graph = importOnnx(
      tiny({
        nodes: [
          node("ConstantOfShape", ["s"], ["c"]),
          node("Transpose", ["c"], ["t"]),
          node("Add", ["x", "t"]),
        ],
        initializers: { s: longs(5000, 4000) },
        inputs: { x: [4000, 5000] },
      }),
    );
    expect(graph.nodes.map(({ op }) => op)).toEqual(["Expand", "Transpose", "Add"]);
    expect([...graph.constants.values()].map(({ data }) => data.length)).toEqual([1]);
  });

  it("a constant that is a graph output gets an Identity", () => {
    const graph = importOnnx(
      tiny({ nodes: [node("Mul", ["m", "m"])], initializers: { m }, inputs: {} }),
    );
    expect(graph.nodes).toMatchObject([{ op: "Identity", inputs: ["y_constant"], outputs: ["y"] }]);
  });
});
