// Parts of constants whose size is open, such as the first rows of a position table: they become integers as they do
// where the size is fixed.

import { describe, expect, it } from "vitest";
import { decibels } from "../../../src/compare.ts";
import { bindShapes } from "../../../src/graph/bind.ts";
import { GraphBuilder } from "../../../src/graph/builder.ts";
import type { Graph } from "../../../src/graph/graph.ts";
import { isInteger } from "../../../src/graph/macs.ts";
import type { Node } from "../../../src/graph/node.ts";
import type { Dim } from "../../../src/graph/value.ts";
import { convert } from "../../../src/convert.ts";
import { Model } from "../../../src/model.ts";
import { prepareQat } from "../../../src/prepareQat.ts";
import { annotate } from "../../../src/quantize/annotate.ts";
import { convertGraph } from "../../../src/quantize/convert.ts";
import { buildCorrection } from "../../../src/quantize/correct.ts";
import { fuse } from "../../../src/quantize/fuse.ts";
import { insertObservers } from "../../../src/quantize/prepare.ts";
import { qconfigs } from "../../../src/quantize/presets.ts";
import { interpret } from "../../../src/reference/interpret.ts";
import { dequantizeTensor } from "../../../src/graph/arithmetic.ts";
import type { Tensor } from "../../../src/tensor/tensor.ts";
import { calibrateOnHost } from "../../support/calibrate.ts";
import { floats } from "../../support/seeded.ts";

type Add = (op: Node["op"], inputs: string[], attributes?: object) => string;

/** What `rows`, (sequence, 8) of a table, become before they meet x, (batch, sequence, 8). */
const uses: Record<string, (add: Add, rows: string, sequence: Dim, batch: Dim) => string> = {
  "a position table": (add, rows) => add("Add", ["x", add("Unsqueeze", [rows], { axes: [0] })]),
  "a table that is reshaped": (add, rows, sequence) =>
    add("Add", ["x", add("Reshape", [rows], { shape: [1, sequence, 8] })]),
  "a table that is turned twice": (add, rows) => {
    const turned = add("Transpose", [rows], { perm: [1, 0] });
    return add("Add", ["x", add("Transpose", [turned], { perm: [1, 0] })]);
  },
  "a table that is multiplied by a matrix": (add, rows) =>
    add("Add", ["x", add("MatMul", [rows, "square"])]),
  "a table that is expanded and appended": (add, rows, sequence, batch) => {
    const wide = add("Expand", [rows], { shape: [batch, sequence, 8] });
    return add("Concat", ["x", wide], { axis: 1 });
  },
  "a table that is padded": (add, rows) => {
    const padded = add("Pad", [rows], { pads: [1, 0, 0, 0], value: 0 });
    const cut = { axes: [0], starts: [1], ends: [2 ** 31 - 1], steps: [1] };
    return add("Mul", ["x", add("Slice", [padded], cut)]);
  },
};

function graphOf(use: string, batch: Dim, sequence: Dim): Graph {
  const builder = new GraphBuilder();
  builder.input("x", { dtype: "float32", shape: [batch, sequence, 8] });
  builder.constant("table", floats([12, 8], 1));
  builder.constant("square", floats([8, 8], 2));
  builder.constant("w", floats([8, 6], 3));
  let count = 0;
  const add: Add = (op, inputs, attributes = {}) => {
    const outputs = [`v${count++}`];
    return builder.add({ op, name: `/${outputs[0]}`, inputs, outputs, ...attributes } as Node);
  };
  const rows = add("Slice", ["table"], { axes: [0], starts: [0], ends: [sequence], steps: [1] });
  const met = uses[use]!(add, rows, sequence, batch);
  const y = add("MatMul", [met, "w"]);
  return builder.build("open", ["x"], [y, rows]);
}

const [BATCH, SEQUENCE] = [2, 5];
const sizes = new Map([
  ["batch", BATCH],
  ["sequence", SEQUENCE],
]);
const samples = [7, 8].map((seed) => ({ x: floats([BATCH, SEQUENCE, 8], seed) }));

function quantized(source: Graph): Graph {
  const graph = fuse(source);
  const assignment = annotate(graph, qconfigs.int8);
  const prepared = bindShapes(insertObservers(graph, assignment), sizes);
  const calibration = calibrateOnHost(prepared, samples);
  buildCorrection(graph, assignment, calibration.statistics); // types every value
  return convertGraph(graph, assignment, calibration);
}

function outputsOf(graph: Graph) {
  const bound = bindShapes(graph, sizes);
  const values = interpret(bound, { x: floats([BATCH, SEQUENCE, 8], 9) });
  return graph.outputs.map((name) => {
    const value = values.get(name)!;
    const { quant } = bound.values.get(name)!;
    return (quant ? dequantizeTensor(value as Tensor<"uint8">, quant) : value).data as Float32Array;
  });
}

function expectIntegers(graph: Graph): void {
  const last = graph.nodes.findLast(({ op }) => op === "MatMul" || op === "Gemm")!;
  expect(isInteger(bindShapes(graph, sizes), last)).toBe(true);
}

describe.each(Object.keys(uses))("%s of open length", (use) => {
  it("becomes what it becomes with fixed sizes", () => {
    const open = quantized(graphOf(use, "batch", "sequence"));
    const fixed = quantized(graphOf(use, BATCH, SEQUENCE));
    expect(outputsOf(open)).toEqual(outputsOf(fixed));
    const float = outputsOf(graphOf(use, BATCH, SEQUENCE));
    outputsOf(open).forEach((values, index) => {
      let [signal, noise] = [0, 0];
      values.forEach((value, at) => {
        signal += float[index]![at]! ** 2;
        noise += (value - float[index]![at]!) ** 2;
      });
      expect(decibels(signal, noise)).toBeGreaterThan(28);
    });
    expectIntegers(open);
  });

  it("becomes integers after quantization-aware training, too", () => {
    const graph = graphOf(use, "batch", "sequence");
    const fused = fuse(graph);
    const assignment = annotate(fused, qconfigs.int8);
    const prepared = insertObservers(fused, assignment);
    const calibration = calibrateOnHost(bindShapes(prepared, sizes), samples);
    const calibrated = new Model("calibrated", prepared, { fused, assignment, calibration });
    const converted = convert(prepareQat(new Model("float", graph, {}), { calibrated })).graph;
    expectIntegers(converted);
  });
});
