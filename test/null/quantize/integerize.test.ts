// QDQ graphs as other tools write them become typed integer ops, and compute what the pairs around
// float ops say, within one code. What has no integer form stays float, in sight.

import { describe, expect, it } from "vitest";
import { bindShapes } from "../../../src/graph/bind.ts";
import { GraphBuilder } from "../../../src/graph/builder.ts";
import type { Graph } from "../../../src/graph/graph.ts";
import type { Node } from "../../../src/graph/node.ts";
import type { QParams } from "../../../src/graph/value.ts";
import { fuse } from "../../../src/quantize/fuse.ts";
import { integerize } from "../../../src/quantize/integerize.ts";
import { interpret } from "../../../src/reference/interpret.ts";
import { float32, tensor, type Tensor } from "../../../src/tensor/tensor.ts";
import { codes, floats, integers } from "../../support/seeded.ts";

const params = (
  dtype: QParams["dtype"],
  scale: number | readonly number[],
  zeroPoint = 0,
  axis?: number,
): QParams => {
  const scales = Float32Array.from([scale].flat());
  const zeros = new Int32Array(scales.length).fill(zeroPoint);
  return { dtype, scale: scales, zeroPoint: zeros, ...(axis === undefined ? {} : { axis }) };
};

/** Writes QDQ as exporters do: every float op reads Dequantize and feeds Quantize. */
class Writer {
  readonly builder = new GraphBuilder();

  input(shape: readonly number[], quant: QParams): string {
    this.builder.input("x", { dtype: "float32", shape });
    return this.pair("x", quant);
  }

  constant(name: string, data: Tensor, quant: QParams): string {
    this.builder.constant(name, data, quant);
    return this.dequantize(name);
  }

  dequantize(from: string): string {
    const to = `${from}.real`;
    const node = { op: "Dequantize", name: `dq ${from}`, inputs: [from], outputs: [to] } as const;
    return this.builder.add(node, { dtype: "float32" });
  }

  pair(from: string, quant: QParams): string {
    const to = `${from}.q`;
    const node = { op: "Quantize", name: `q ${from}`, inputs: [from], outputs: [to] } as const;
    return this.dequantize(this.builder.add(node, { quant }));
  }

  op(node: object, name: string, inputs: readonly string[]): string {
    return this.builder.add({ ...node, name, inputs, outputs: [`${name}.out`] } as unknown as Node);
  }

  build(output: string): Graph {
    return this.builder.build("qdq", ["x"], [output]);
  }
}

const plain = { strides: [1, 1], dilations: [1, 1], pads: [1, 1, 1, 1] };
const conv = { op: "Conv", kernel: [3, 3], group: 1, ...plain };
const sx = params("uint8", 0.05, 131);
const sy = params("uint8", 0.25, 90);
const perChannel = [0.01, 0.02, 0.03, 0.017];

interface Given {
  readonly weight: [Tensor, QParams];
  readonly bias?: (writer: Writer) => string;
}

const signed = (quant = params("int8", perChannel, 0, 0)): Given["weight"] => [
  codes("int8", [4, 3, 3, 3], 5),
  quant,
];

function convGraph({ weight, bias }: Given): Graph {
  const writer = new Writer();
  const x = writer.input([1, 3, 5, 5], sx);
  const w = writer.constant("w", ...weight);
  const out = writer.op(conv, "conv", [x, w, ...(bias ? [bias(writer)] : [])]);
  return writer.build(writer.pair(writer.op({ op: "Relu" }, "relu", [out]), sy));
}

const integerBias = (q: Int32Array, scale: readonly number[]) => (writer: Writer) =>
  writer.constant("b", tensor("int32", [4], q), params("int32", scale, 0, 0));

const steps = perChannel.map((scale) => Math.fround(Math.fround(0.05) * Math.fround(scale)));
const q = integers(4, 3, 500);

const cases: readonly (readonly [string, Given])[] = [
  ["int8 weights per channel, no bias", { weight: signed() }],
  ["int8 weights per tensor", { weight: signed(params("int8", 0.02)) }],
  [
    "uint8 weights with zero point 128",
    { weight: [codes("uint8", [4, 3, 3, 3], 5), params("uint8", 0.02, 128)] },
  ],
  [
    "uint8 weights per channel with zero point 128",
    { weight: [codes("uint8", [4, 3, 3, 3], 5), params("uint8", perChannel, 128, 0)] },
  ],
  [
    "uint8 weights with a zero point that leaves no int8",
    { weight: [codes("uint8", [4, 3, 3, 3], 5), params("uint8", 0.02, 117)] },
  ],
  [
    "uint8 weights per channel with a zero point at the end",
    { weight: [codes("uint8", [4, 3, 3, 3], 5), params("uint8", perChannel, 255, 0)] },
  ],
  ["int8 weights with a zero point", { weight: signed(params("int8", 0.02, 3)) }],
  ["an int32 bias in its own steps", { weight: signed(), bias: integerBias(q, steps) }],
  [
    "an int32 bias in other steps",
    {
      weight: signed(),
      bias: integerBias(
        q,
        steps.map((step) => step * 3),
      ),
    },
  ],
  [
    "a float bias",
    { weight: signed(), bias: ({ builder }) => builder.constant("b", floats([4], 6, 3)) },
  ],
];

const outputOf = (graph: Graph) =>
  interpret(bindShapes(graph, new Map()), { x: floats([1, 3, 5, 5], 8, 6) }).get(graph.outputs[0]!)!
    .data as Float32Array;

describe("a convolution with", () => {
  it.each(cases)("%s becomes integer and agrees within one code", (_, given) => {
    const graph = fuse(convGraph(given));
    const typed = integerize(graph);
    expect(typed.nodes.map(({ op }) => op)).toEqual(["Quantize", "Conv", "Dequantize"]);
    const [, node] = typed.nodes;
    expect(typed.values.get(node!.inputs[1]!)!.dtype).toBe("int8");
    expect(node).toMatchObject({ low: 0 });
    const [want, got] = [outputOf(graph), outputOf(typed)];
    const step = sy.scale[0]!;
    want.forEach((value, index) =>
      // Both round the same real, one of them after float sums: a tie may fall the other way.
      expect(Math.abs(value - got[index]!)).toBeLessThanOrEqual(step * 1.001),
    );
    expect(want.filter((value, index) => value !== got[index]).length).toBeLessThan(3);
  });

  it("an int32 bias in its own steps keeps it bit for bit", () => {
    const typed = integerize(fuse(convGraph({ weight: signed(), bias: integerBias(q, steps) })));
    const { inputs } = typed.nodes.find(({ op }) => op === "Conv")!;
    expect(typed.constants.get(inputs[2]!)!.data).toEqual(q);
  });

  it.each([
    ["scales along the input channels", { weight: signed(params("int8", [0.1, 0.2, 0.3], 0, 1)) }],
  ] as readonly [string, Given][])("%s stays float, and computes the same", (_, given) => {
    const graph = fuse(convGraph(given));
    const typed = integerize(graph);
    expect(typed.nodes.map(({ op }) => op)).toContain("Dequantize");
    const { outputs } = typed.nodes.find(({ op }) => op === "Conv")!;
    expect(typed.values.get(outputs[0]!)!.dtype).toBe("float32");
    expect(outputOf(typed)).toEqual(outputOf(graph));
  });
});

describe("ops without weights", () => {
  it.each([
    ["MaxPool", { op: "MaxPool", kernel: [2, 2], ceilMode: false, ...plain }, sx],
    ["Transpose", { op: "Transpose", perm: [0, 2, 3, 1] }, sx],
    ["Flatten", { op: "Flatten", axis: 1 }, sx],
    ["GlobalAveragePool", { op: "GlobalAveragePool" }, sy],
    ["Sigmoid", { op: "Sigmoid" }, params("uint8", 1 / 256, 0)],
  ] as const)("%s between pairs is one integer node", (_, node, quant) => {
    const writer = new Writer();
    const out = writer.op(node, "node", [writer.input([1, 3, 5, 5], sx)]);
    const graph = writer.build(writer.pair(out, quant));
    const typed = integerize(graph);
    expect(typed.nodes.map(({ op }) => op)).toEqual(["Quantize", node.op, "Dequantize"]);
    const [want, got] = [outputOf(graph), outputOf(typed)];
    const step = quant.scale[0]! * 1.001; // a tie may fall the other way
    want.forEach((value, index) => expect(Math.abs(value - got[index]!)).toBeLessThanOrEqual(step));
  });

  it("Concat of two parameters becomes integer with the output's", () => {
    const writer = new Writer();
    const x = writer.input([1, 3, 5, 5], sx);
    const other = writer.pair(writer.op({ op: "Sigmoid" }, "s", [x]), params("uint8", 1 / 256));
    const joined = writer.op({ op: "Concat", axis: 1 }, "concat", [x, other]);
    const typed = integerize(writer.build(writer.pair(joined, sx)));
    const ops = typed.nodes.map(({ op }) => op);
    expect(ops).toEqual(["Quantize", "Sigmoid", "Concat", "Dequantize"]);
  });

  it("one with an output that is read in float stays float", () => {
    const writer = new Writer();
    const out = writer.op({ op: "Relu" }, "relu", [writer.input([2], sx)]);
    writer.pair(out, sx);
    const graph = writer.builder.build("qdq", ["x"], [out, `${out}.q.real`]);
    const relu = integerize(graph).nodes.find(({ op }) => op === "Relu")!;
    expect(integerize(graph).values.get(relu.outputs[0]!)!.dtype).toBe("float32");
  });

  it("Softmax between pairs stays float", () => {
    const writer = new Writer();
    const out = writer.op({ op: "Softmax", axis: 1 }, "softmax", [writer.input([1, 4], sx)]);
    const graph = writer.build(writer.pair(out, params("uint8", 1 / 256)));
    expect(integerize(graph)).toEqual(graph);
  });
});

it("a graph without pairs is left as it is", () => {
  const builder = new GraphBuilder();
  builder.input("x", { dtype: "float32", shape: [2] });
  builder.constant("c", float32([2], [1, 2]));
  builder.add({ op: "Add", name: "add", inputs: ["x", "c"], outputs: ["y"] });
  const graph = builder.build("float", ["x"], ["y"]);
  expect(integerize(graph)).toEqual(graph);
});
