// Which nodes run in integers, who decides, and where observers go.

import { describe, expect, it } from "vitest";
import { GraphBuilder } from "../../../src/graph/builder.ts";
import type { Graph } from "../../../src/graph/graph.ts";
import type { Node } from "../../../src/graph/node.ts";
import { printGraph } from "../../../src/graph/print.ts";
import { annotate, whyFloat, type Overrides } from "../../../src/quantize/annotate.ts";
import { fuse } from "../../../src/quantize/fuse.ts";
import { insertObservers } from "../../../src/quantize/prepare.ts";
import { qconfigs } from "../../../src/quantize/presets.ts";
import { findSites } from "../../../src/quantize/sites.ts";
import { float32 } from "../../../src/tensor/tensor.ts";
import { residualGraph } from "../../support/models.ts";
import { floats } from "../../support/seeded.ts";

const fused = fuse(residualGraph());
const { int8, qnnpack, onednn } = qconfigs;

/** Node → name of its preset, or null. */
function decided(graph: Graph, overrides: Overrides): Record<string, string | null> {
  const names = new Map(Object.entries(qconfigs).map(([name, config]) => [config, name]));
  const entries = [...annotate(graph, int8, overrides)];
  return Object.fromEntries(
    entries.map(([node, config]) => [node, config && (names.get(config) ?? "?")]),
  );
}

it("what runs merged into Gelu or LayerNormalization stays float, unless an override names it", () => {
  const builder = new GraphBuilder();
  builder.input("x", { dtype: "float32", shape: [2, 8] });
  const number = (name: string, value: number) => builder.constant(name, float32([], [value]));
  const add = (name: string, node: object, ...inputs: string[]) =>
    builder.add({ ...node, name, inputs, outputs: [`${name}_out`] } as unknown as Node);
  const linear = (name: string, x: string) =>
    add(name, { op: "MatMul" }, x, builder.constant(`${name}_w`, floats([8, 8], 1)));
  const mean = { op: "ReduceMean", axes: [1], keepdims: true };
  const half = linear("first", "x");
  const erf = add("erf", { op: "Erf" }, add("div", { op: "Div" }, half, number("r", Math.SQRT2)));
  const gate = add("gate", { op: "Add" }, erf, number("one", 1));
  const product = add("product", { op: "Mul" }, half, gate);
  const gelu = add("gelu", { op: "Mul" }, product, number("half", 0.5));
  const sum = add("residual", { op: "Add" }, linear("second", gelu), "x");
  const center = add("center", { op: "Sub" }, sum, add("mean", mean, sum));
  const variance = add("variance", mean, add("square", { op: "Mul" }, center, center));
  const root = add(
    "root",
    { op: "Sqrt" },
    add("shifted", { op: "Add" }, variance, number("eps", 1e-5)),
  );
  const norm = add("norm", { op: "Div" }, center, root);
  const scaled = add("scaled", { op: "Mul" }, norm, builder.constant("g", floats([8], 2)));
  const y = add("biased", { op: "Add" }, scaled, builder.constant("b", floats([8], 3)));
  const graph = builder.build("block", ["x"], [linear("third", y)]);
  const integers = (overrides: Overrides) =>
    Object.entries(decided(graph, overrides)).flatMap(([node, config]) => (config ? [node] : []));
  expect(integers({})).toEqual(["first", "second", "residual", "third"]);
  expect(integers({ gate: int8 })).toEqual(["first", "gate", "second", "residual", "third"]);
});

describe("overrides", () => {
  it("leave nodes they do not name to the default", () => {
    expect(decided(fused, {})).toEqual({
      stem: "int8",
      depthwise: "int8",
      pointwise: "int8",
      add: "int8",
      pool: "int8",
      flatten: "int8",
      head: "int8",
    });
  });

  it("by op, by pattern and by name: the most specific wins", () => {
    const overrides = { Conv: null, "*wise": qnnpack, "point*": onednn, depthwise: int8 };
    const { stem, depthwise, pointwise, head } = decided(fused, overrides);
    expect({ stem, depthwise, pointwise, head }).toEqual({
      stem: null,
      depthwise: "int8",
      pointwise: "onednn",
      head: "int8",
    });
  });

  it("by the longest of the patterns that match", () => {
    expect(decided(fused, { "*": null, "d*": qnnpack, "dep*": onednn })["depthwise"]).toBe(
      "onednn",
    );
    expect(decided(fused, { "dep*": onednn, "*": null, "d*": qnnpack })["depthwise"]).toBe(
      "onednn",
    );
  });

  it("match a name with letters that mean something in regular expressions", () => {
    const builder = new GraphBuilder();
    builder.input("x", { dtype: "float32", shape: [2] });
    for (const name of ["a.b", "a+b"])
      builder.add({ op: "Sigmoid", name, inputs: ["x"], outputs: [`${name}/y`] });
    const graph = builder.build("g", ["x"], ["a.b/y", "a+b/y"]);
    expect(decided(graph, { "a.*": null })).toEqual({ "a.b": null, "a+b": "int8" });
  });

  it("that name nothing are refused, with names to choose from", () => {
    expect(() => annotate(fused, int8, { "haed*": null })).toThrowErrorMatchingInlineSnapshot(
      `[QConfigError: overrides "haed*": no node has that name, pattern or op; got "stem", "depthwise", "pointwise", …. List the nodes with \`webgpu-quant inspect MODEL --json\`.]`,
    );
  });

  it("are checked as every qconfig is, and named", () => {
    const weight = { ...int8.weight, dtype: "uint8" } as const;
    expect(() =>
      annotate(fused, int8, { head: { ...int8, weight } }),
    ).toThrowErrorMatchingInlineSnapshot(
      `[QConfigError: overrides "head": weight: qmin … qmax must be integers around 0 inside 0 … 255 (uint8); got -127 … 127. Leave both out for the whole range.]`,
    );
  });
});

describe("an op stays float, and says why,", () => {
  /** One node on x (2, 3, 4, 4) unless `shape` says otherwise; w is a constant (3, 5). */
  function one(node: object, inputs: readonly string[], shape = [2, 3]): [Graph, Node] {
    const builder = new GraphBuilder();
    builder.input("x", { dtype: "float32", shape });
    builder.input("y", { dtype: "float32", shape: [3, 5] });
    builder.constant("w", floats([3, 5], 1));
    builder.constant("w3", floats([1, 3, 5], 1));
    builder.constant("column", floats([2, 1], 1));
    builder.add({ ...node, name: "node", inputs, outputs: ["out"] } as unknown as Node);
    const graph = builder.build("g", ["x", "y"], ["out"]);
    return [graph, graph.nodes[0]!];
  }
  const gemm = { op: "Gemm", alpha: 1, beta: 1, transA: false, transB: false };

  it.each([
    ["Softmax", one({ op: "Softmax", axis: 1 }, ["x"]), "Softmax has no integer kernel"],
    ["Div", one({ op: "Div" }, ["x", "x"]), "Div has no integer kernel"],
    ["two activations", one({ op: "MatMul" }, ["x", "y"]), "its weight is not a constant"],
    ["a batch of weights", one({ op: "MatMul" }, ["x", "w3"]), "its weight is not a matrix"],
    [
      "a bias per row",
      one(gemm, ["x", "w", "column"]),
      "its bias is not one value per output channel",
    ],
    ["alpha", one({ ...gemm, alpha: 2 }, ["x", "w"]), "alpha or beta is not 1"],
    ["transA", one({ ...gemm, transA: true }, ["x", "w"], [3, 2]), "its input is transposed"],
  ])("where it is or has %s", (_, [graph, node], why) => {
    expect(whyFloat(graph, node)).toBe(why);
    expect(annotate(graph, int8).get("node")).toBeNull();
  });

  it("and otherwise does not, a product of any number of axes included", () => {
    expect(whyFloat(...one(gemm, ["x", "w"]))).toBeUndefined();
    for (const shape of [[3], [1, 2, 3], [1, 1, 2, 3], [2, 1, 1, 2, 3]])
      expect(whyFloat(...one({ op: "MatMul" }, ["x", "w"], shape))).toBeUndefined();
  });
});

/** x → Transpose a → Sigmoid → Flatten b → Softmax → Flatten c. */
function movers(): Graph {
  const builder = new GraphBuilder();
  builder.input("x", { dtype: "float32", shape: [2, 3] });
  builder.add({ op: "Transpose", name: "a", inputs: ["x"], outputs: ["xa"], perm: [1, 0] });
  builder.add({ op: "Sigmoid", name: "sigmoid", inputs: ["xa"], outputs: ["s"] });
  builder.add({ op: "Flatten", name: "b", inputs: ["s"], outputs: ["sb"], axis: 0 });
  builder.add({ op: "Softmax", name: "softmax", inputs: ["sb"], outputs: ["p"], axis: 1 });
  builder.add({ op: "Flatten", name: "c", inputs: ["p"], outputs: ["pc"], axis: 0 });
  return builder.build("movers", ["x"], ["pc"]);
}

describe("ops that only move elements", () => {
  it("run in integers beside one that computes in integers, in float otherwise", () => {
    const names = decided(movers(), {});
    expect(names).toEqual({ a: "int8", sigmoid: "int8", b: "int8", softmax: null, c: null });
    expect(decided(movers(), { Sigmoid: null })).toEqual({
      a: null,
      sigmoid: null,
      b: null,
      softmax: null,
      c: null,
    });
  });

  it("share the parameters of what they move, observed once", () => {
    const { roots, configs } = findSites(movers(), annotate(movers(), int8));
    expect(Object.fromEntries(roots)).toEqual({ x: "x", xa: "x", s: "s", sb: "s" });
    expect([...configs.keys()].sort()).toEqual(["s", "x"]);
  });
});

it("prepare observes the input and what every integer node makes, after its clamp", () => {
  const prepared = insertObservers(fused, annotate(fused, int8));
  expect(printGraph(prepared)).toMatchInlineSnapshot(`
    "graph residual(images: float32[batch, 3, 8, 8])
      Observe(images) observer={"kind":"histogram"}
      stem.relu6.out: float32[batch, 8, 4, 4] = Conv(images, stem/folded_filter, stem/folded_bias) kernel=[3,3] strides=[2,2] dilations=[1,1] pads=[1,1,1,1] group=1 low=0 high=6
      Observe(stem.relu6.out) observer={"kind":"histogram"}
      depthwise.relu6.out: float32[batch, 8, 4, 4] = Conv(stem.relu6.out, depthwise/folded_filter, depthwise/folded_bias) kernel=[3,3] strides=[1,1] dilations=[1,1] pads=[1,1,1,1] group=8 low=0 high=6
      Observe(depthwise.relu6.out) observer={"kind":"histogram"}
      pointwise.norm: float32[batch, 8, 4, 4] = Conv(depthwise.relu6.out, pointwise/folded_filter, pointwise/folded_bias) kernel=[1,1] strides=[1,1] dilations=[1,1] pads=[0,0,0,0] group=1
      Observe(pointwise.norm) observer={"kind":"histogram"}
      sum: float32[batch, 8, 4, 4] = Add(stem.relu6.out, pointwise.norm)
      Observe(sum) observer={"kind":"histogram"}
      pooled: float32[batch, 8, 1, 1] = GlobalAveragePool(sum)
      Observe(pooled) observer={"kind":"histogram"}
      flat: float32[batch, 8] = Flatten(pooled) axis=1
      scores: float32[batch, 5] = Gemm(flat, head.weight, head.bias) alpha=1 beta=1 transA=false transB=true
      Observe(scores) observer={"kind":"histogram"}
      return scores"
  `);
});

it("a value that an op makes is observed as that op's qconfig says, not as its readers'", () => {
  const observer = { kind: "minMax" } as const;
  const minMax = { ...int8, activation: { ...int8.activation, observer } };
  const prepared = insertObservers(fused, annotate(fused, int8, { depthwise: minMax }));
  const observed = prepared.nodes.flatMap((node) =>
    node.op === "Observe" && node.observer.kind === "minMax" ? node.inputs : [],
  );
  expect(observed).toEqual(["depthwise.relu6.out"]);
});
