// If, decided at import: which branch is taken, what its names become, and what is refused. And the folding of
// shape arithmetic that conditions are made of.

import { describe, expect, it } from "vitest";
import { importOnnx } from "../../../src/formats/onnx/import.ts";
import { DataType } from "../../../src/formats/onnx/proto.ts";
import { tensor } from "../../../src/tensor/tensor.ts";
import {
  branch,
  floats,
  imported,
  long,
  longs,
  messageOf,
  node,
  scalar,
  tiny,
  type Tiny,
} from "./onnxModels.ts";

const bool = (value: boolean) => tensor("bool", [], Uint8Array.of(Number(value)));

/** y = If(condition): tanh(x) or sigmoid(x). */
const choice = (initializers: Tiny["initializers"] = {}, before: Tiny["nodes"] = []): Tiny => ({
  nodes: [
    ...before,
    node("If", ["c"], ["y"], {
      then_branch: branch([node("Tanh", ["x"], ["t"])], ["t"]),
      else_branch: branch([node("Sigmoid", ["x"], ["s"])], ["s"]),
    }),
  ],
  initializers,
});

describe("If", () => {
  it.each([
    [true, "y: float32[1, 2, 4, 4] = Tanh(x)"],
    [false, "y: float32[1, 2, 4, 4] = Sigmoid(x)"],
  ])("takes the branch of a condition that is %s", (value, line) => {
    expect(imported(choice({ c: bool(value) }))).toEqual([line]);
  });

  it("takes it by the rank of a value, as exporters ask for it", () => {
    const nodes = (rank: number) => [
      node("Shape", ["x"], ["shape"]),
      node("Size", ["shape"], ["rank"]),
      node("Equal", ["rank", "want"], ["same"]),
      node("Not", ["same"], ["other"]),
      node("Cast", ["other"], ["c"], { to: DataType.BOOL }),
      { want: long(rank) },
    ];
    const parts = (rank: number) => {
      const [want, ...rest] = nodes(rank).toReversed();
      return choice(want as Tiny["initializers"], rest.toReversed() as Tiny["nodes"]);
    };
    expect(imported(parts(4))).toEqual(["y: float32[1, 2, 4, 4] = Sigmoid(x)"]);
    expect(imported(parts(3))).toEqual(["y: float32[1, 2, 4, 4] = Tanh(x)"]);
  });

  it("does not look at the branch that is not taken", () => {
    const parts: Tiny = {
      nodes: [
        node("If", ["c"], ["y"], {
          then_branch: branch([node("Loop", ["x"], ["t"])], ["t"]),
          else_branch: branch([node("Relu", ["x"], ["t"])], ["t"]),
        }),
      ],
      initializers: { c: bool(false) },
    };
    expect(imported(parts)).toEqual(["y: float32[1, 2, 4, 4] = Relu(x)"]);
    expect(messageOf(() => imported({ ...parts, initializers: { c: bool(true) } })))
      .toMatchInlineSnapshot(`
      "UnsupportedError: import: 1 unsupported node(s):
        Loop "Loop_0": this op is not supported
      Export the model without these, or replace them before import (README: supported ONNX ops)."
    `);
  });

  it("gives names that are taken already fresh ones, inside and outside", () => {
    const inner = (value: number) =>
      branch([node("Mul", ["x", "w"], ["a"]), node("Add", ["a", "b"], ["z"])], ["z"], {
        w: scalar(value),
      });
    const parts: Tiny = {
      nodes: [
        node("Relu", ["x"], ["a"]),
        node("If", ["c"], ["b"], {
          then_branch: branch([node("Neg", ["x"], ["q"])], ["q"]),
          else_branch: branch([node("Tanh", ["a"], ["a"])], ["a"]),
        }),
        node("If", ["d"], ["y"], { then_branch: inner(2), else_branch: inner(3) }),
        node("Add", ["a", "y"], ["out"]),
      ],
      initializers: { c: bool(false), d: bool(true), w: scalar(1) },
      outputs: ["out"],
    };
    expect(imported(parts)).toMatchInlineSnapshot(`
      [
        "a: float32[1, 2, 4, 4] = Relu(x)",
        "b: float32[1, 2, 4, 4] = Tanh(a)",
        "a_1: float32[1, 2, 4, 4] = Mul(x, w_1)",
        "y: float32[1, 2, 4, 4] = Add(a_1, b)",
        "out: float32[1, 2, 4, 4] = Add(a, y)",
      ]
    `);
  });

  it("in an If captures what any graph around it defines", () => {
    const deepest = branch(
      [node("Add", ["x", "outer"], ["e"]), node("Mul", ["e", "w"], ["f"])],
      ["f"],
    );
    const middle = branch(
      [
        node("Relu", ["x"], ["outer"]),
        node("If", ["c"], ["g"], { then_branch: deepest, else_branch: deepest }),
        node("Tanh", ["g"], ["h"]),
      ],
      ["h", "outer"],
    );
    const parts: Tiny = {
      nodes: [node("If", ["c"], ["y", "z"], { then_branch: middle, else_branch: middle })],
      initializers: { c: bool(true), w: scalar(3) },
      outputs: ["y", "z"],
    };
    expect(imported(parts)).toMatchInlineSnapshot(`
      [
        "z: float32[1, 2, 4, 4] = Relu(x)",
        "e: float32[1, 2, 4, 4] = Add(x, z)",
        "g: float32[1, 2, 4, 4] = Mul(e, w)",
        "y: float32[1, 2, 4, 4] = Tanh(g)",
      ]
    `);
  });

  it("may give constants, sizes and values from outside", () => {
    const parts: Tiny = {
      nodes: [
        node("Relu", ["x"], ["r"]),
        node("If", ["c"], ["k", "n", "v"], {
          then_branch: branch(
            [node("Shape", ["x"], ["s"]), node("Identity", ["w"], ["k2"])],
            ["k2", "s", "r"],
            { w: floats([4]) },
          ),
          else_branch: branch([node("Loop", ["x"], ["p"])], ["p", "p", "p"]),
        }),
        node("Add", ["v", "k"], ["a"]),
        node("Reshape", ["a", "n"], ["y"]),
      ],
      inputs: { x: ["batch", 2, 4] },
      initializers: { c: bool(true) },
    };
    expect(imported(parts)).toMatchInlineSnapshot(`
      [
        "r: float32[batch, 2, 4] = Relu(x)",
        "v: float32[batch, 2, 4] = Identity(r)",
        "a: float32[batch, 2, 4] = Add(v, k)",
        "y: float32[batch, 2, 4] = Reshape(a) shape=["batch",2,4]",
      ]
    `);
  });

  it("with a condition of the run needs branches of one shape; else the inputs to give are named", () => {
    const parts: Tiny = {
      nodes: [
        node("Equal", ["sr", "rate"], ["c"]),
        node("If", ["c"], ["y"], {
          then_branch: branch([node("Tanh", ["x"], ["t"])], ["t"]),
          else_branch: branch([node("Unsqueeze", ["x", "axes"], ["u"])], ["u"]),
        }),
      ],
      initializers: { rate: long(16000), axes: longs(0) },
      inputs: { x: [2], sr: [] },
      types: { sr: DataType.INT64 },
    };
    expect(messageOf(() => imported(parts))).toMatchInlineSnapshot(`
      "UnsupportedError: import: 1 unsupported node(s):
        If "If_0": a run decides it, by "sr", and its branches give "y" as float32[2] or float32[1, 2]: both run here, so they must give one type and shape. If what decides is always the same for you, give it when loading: load(bytes, { constants: { "sr": tensor } }); else export the model with one branch
      Export the model without these, or replace them before import (README: supported ONNX ops)."
    `);
    const given = imported(parts, { constants: { sr: long(16000) } });
    expect(given).toEqual(["y: float32[2] = Tanh(x)"]);
  });

  it("by a size that is not known is refused, with the size to give", () => {
    const parts: Tiny = {
      ...choice({ one: longs(1), axis: longs(0) }, [
        node("Shape", ["x"], ["shape"]),
        node("Gather", ["shape", "axis"], ["batch"]),
        node("Equal", ["batch", "one"], ["c"]),
      ]),
      inputs: { x: ["batch", 2] },
    };
    expect(messageOf(() => imported(parts))).toMatchInlineSnapshot(`
      "UnsupportedError: import: 1 unsupported node(s):
        Equal "Equal_0": Equal of the size "batch", unknown at import; fix it when loading: load(bytes, { dims: { batch: 1 } })
      Export the model without these, or replace them before import (README: supported ONNX ops)."
    `);
    expect(imported(parts, { dims: { batch: 1 } })).toEqual(["y: float32[1, 2] = Tanh(x)"]);
  });

  it.each<[string, Tiny, string]>([
    [
      "without the branch",
      { nodes: [node("If", ["c"], ["y"], {})], initializers: { c: bool(true) } },
      "attribute else_branch must be given; got none",
    ],
    [
      "by two bools",
      choice({ c: tensor("bool", [2], Uint8Array.of(1, 1)) }),
      "the condition must be one bool; got bool[2]",
    ],
    [
      "with fewer outputs than the node",
      {
        nodes: [
          node("If", ["c"], ["y", "z"], {
            then_branch: branch([node("Relu", ["x"], ["a"])], ["a"]),
            else_branch: branch([node("Relu", ["x"], ["a"])], ["a"]),
          }),
        ],
        initializers: { c: bool(true) },
      },
      "then_branch must have 2 outputs; got 1",
    ],
    [
      "whose branch reads what nothing defines",
      {
        nodes: [
          node("If", ["c"], ["y"], { then_branch: branch([node("Relu", ["?"], ["a"])], ["a"]) }),
        ],
        initializers: { c: bool(true) },
      },
      'uses "?", which nothing defines',
    ],
    [
      "whose branch is not sorted",
      {
        nodes: [
          node("If", ["c"], ["y"], {
            then_branch: branch([node("Relu", ["a"], ["b"]), node("Relu", ["x"], ["a"])], ["b"]),
          }),
        ],
        initializers: { c: bool(true) },
      },
      'uses "a" before it is computed',
    ],
    [
      "whose branch reads what its If gives",
      {
        nodes: [
          node("If", ["c"], ["y"], { then_branch: branch([node("Relu", ["y"], ["b"])], ["b"]) }),
        ],
        initializers: { c: bool(true) },
      },
      'uses "y", which nothing defines',
    ],
  ])("%s is a broken file", (_, parts, words) => {
    const message = messageOf(() => imported(parts));
    expect(message).toContain("FormatError");
    expect(message).toContain(words);
  });

  it("nests as deep as the reader allows and no deeper", () => {
    const other = branch([node("Relu", ["x"], ["o"])], ["o"]);
    const nested = (depth: number): ReturnType<typeof branch> =>
      depth === 0
        ? branch([node("Relu", ["x"], ["v0"])], ["v0"])
        : branch(
            [
              node("If", ["c"], [`v${depth}`], {
                then_branch: nested(depth - 1),
                else_branch: other,
              }),
            ],
            [`v${depth}`],
          );
    const parts = (depth: number): Tiny => ({
      nodes: [node("If", ["c"], ["y"], { then_branch: nested(depth), else_branch: other })],
      initializers: { c: bool(true) },
    });
    expect(imported(parts(20))).toEqual(["y: float32[1, 2, 4, 4] = Relu(x)"]);
    expect(messageOf(() => importOnnx(tiny(parts(60))))).toContain("nest");
  });
});

describe("shape arithmetic", () => {
  it("chooses between a size and −1, as exporters write an Expand", () => {
    const parts: Tiny = {
      nodes: [
        node("Shape", ["x"], ["shape"]),
        node("Concat", ["shape", "four"], ["wide"], { axis: 0 }),
        node("ConstantOfShape", ["three"], ["ones"], {
          value: { kind: "tensor", value: { ...tensorOne } },
        }),
        node("Mul", ["ones", "minus"], ["none"]),
        node("Equal", ["wide", "none"], ["open"]),
        node("Where", ["open", "ones", "wide"], ["target"]),
        node("Expand", ["w", "target"], ["y"]),
      ],
      inputs: { x: ["batch", 2] },
      initializers: {
        four: longs(4),
        three: longs(3),
        minus: longs(-1),
        w: floats([1, 4]),
      },
    };
    expect(imported(parts)).toEqual(['y: float32[batch, 2, 4] = Expand(w) shape=["batch",2,4]']);
  });

  it("fills a shape that has a name", () => {
    const parts: Tiny = {
      nodes: [
        node("Shape", ["x"], ["shape"]),
        node("ConstantOfShape", ["shape"], ["zeros"]),
        node("Add", ["x", "zeros"], ["y"]),
      ],
      inputs: { x: ["batch", 2] },
    };
    expect(imported(parts)).toMatchInlineSnapshot(`
      [
        "zeros: float32[batch, 2] = Expand(zeros_value) shape=["batch",2]",
        "y: float32[batch, 2] = Add(x, zeros)",
      ]
    `);
  });
});

/** One int64 1 as a tensor attribute. */
const tensorOne = {
  name: "",
  dataType: DataType.INT64,
  dims: [1],
  payload: { field: "raw_data", bytes: Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0) },
  offset: 0,
} as const;
