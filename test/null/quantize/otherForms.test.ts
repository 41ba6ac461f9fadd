// Forms in which other tools spell layers of quantized weights: each becomes the integer layer that it stands for, and
// computes what the file says within one step of its output.

import { describe, expect, it } from "vitest";
import { bindShapes } from "../../../src/graph/bind.ts";
import { GraphBuilder } from "../../../src/graph/builder.ts";
import { inspect } from "../../../src/inspect.ts";
import { Model } from "../../../src/model.ts";
import type { Graph } from "../../../src/graph/graph.ts";
import type { Node } from "../../../src/graph/node.ts";
import type { QParams } from "../../../src/graph/value.ts";
import { fuse } from "../../../src/quantize/fuse.ts";
import { integerize, settle } from "../../../src/quantize/integerize.ts";
import { interpret } from "../../../src/reference/interpret.ts";
import { float32, type Tensor } from "../../../src/tensor/tensor.ts";
import { codes, floats } from "../../support/seeded.ts";

const perTensor = (dtype: "int8" | "uint8", scale: number, zero: number): QParams => ({
  dtype,
  scale: Float32Array.of(scale),
  zeroPoint: Int32Array.of(zero),
});
const perChannel = (dtype: "int8" | "uint8", zeros: readonly number[], axis: number): QParams => ({
  dtype,
  scale: Float32Array.from(zeros, (_, c) => 0.01 + 0.003 * c),
  zeroPoint: Int32Array.from(zeros),
  axis,
});
const sx = perTensor("uint8", 0.05, 131);
const sy = perTensor("uint8", 0.3, 120);

class Writer {
  readonly builder = new GraphBuilder();

  constructor(shape: readonly number[]) {
    this.builder.input("x", { dtype: "float32", shape });
  }

  op(attributes: object, inputs: readonly string[], quant?: QParams): string {
    const name = this.builder.fresh("node");
    const node = { ...attributes, name, inputs, outputs: [`${name}.out`] } as unknown as Node;
    return this.builder.add(
      node,
      quant ? { quant } : node.op === "Dequantize" ? { dtype: "float32" } : {},
    );
  }

  pair(from: string, quant: QParams): string {
    return this.op({ op: "Dequantize" }, [this.op({ op: "Quantize" }, [from], quant)]);
  }

  weight(data: Tensor, quant: QParams): string {
    return this.op({ op: "Dequantize" }, [this.builder.constant("w", data, quant)]);
  }

  build(output: string): Graph {
    return this.builder.build("other", ["x"], [output]);
  }
}

const conv = (kernel: readonly [number, number], pads: readonly number[], group = 1) => ({
  op: "Conv",
  kernel,
  strides: [1, 1],
  dilations: [1, 1],
  pads,
  group,
});

/** What `graph` computes, as it is and read as a file is, and the ops of the latter. */
function both(graph: Graph, shape: readonly number[]) {
  const read = integerize(fuse(settle(graph)));
  const run = (given: Graph) =>
    interpret(bindShapes(given, new Map()), { x: floats(shape, 8, 6) }).get(given.outputs[0]!)!
      .data as Float32Array;
  const [want, got] = [run(graph), run(read)];
  const far = want.reduce((most, value, at) => Math.max(most, Math.abs(value - got[at]!)), 0);
  const report = inspect(new Model("quantized", read, {}));
  return { steps: far / sy.scale[0]!, share: report.integerMacShare, report, read };
}

describe("is read as integers:", () => {
  it("a weight behind Transpose, its scales along its rows", () => {
    const writer = new Writer([3, 12]);
    const zeros = Array.from({ length: 10 }, (_, c) => c - 5);
    const w = writer.weight(codes("int8", [10, 12], 3), perChannel("int8", zeros, 0));
    const turned = writer.op({ op: "Transpose", perm: [1, 0] }, [w]);
    const y = writer.op({ op: "MatMul" }, [writer.pair("x", sx), turned]);
    const { steps, share } = both(writer.build(writer.pair(y, sy)), [3, 12]);
    expect(share).toBe(1);
    expect(steps).toBeLessThan(1.01);
  });

  it("a weight behind Reshape and Unsqueeze, and an activation between them: a Conv over one axis", () => {
    const writer = new Writer([1, 6, 9]);
    const w = writer.weight(codes("int8", [8, 6, 5], 3), perChannel("int8", Array(8).fill(0), 0));
    const filter = writer.op({ op: "Unsqueeze", axes: [2] }, [w]);
    const x = writer.op({ op: "Unsqueeze", axes: [2] }, [writer.pair("x", sx)]);
    const y = writer.op(conv([1, 5], [0, 2, 0, 2]), [x, filter]);
    const out = writer.op({ op: "Squeeze", axes: [2] }, [y]);
    const { steps, share, read } = both(writer.build(writer.pair(out, sy)), [1, 6, 9]);
    expect(share).toBe(1);
    expect(steps).toBeLessThan(1.01);
    const ops = ["Quantize", "Unsqueeze", "Conv", "Squeeze", "Dequantize"];
    expect(read.nodes.map(({ op }) => op)).toEqual(ops);
  });

  it.each([1, 4])(
    "Conv → Div → BatchNormalization → Relu in %d group(s), factors of both signs and 0 among them",
    (group) => {
      const writer = new Writer([1, 4, 5, 5]);
      const zeros = [0, 0, -7, 0];
      const w = writer.weight(codes("int8", [4, 4 / group, 3, 3], 3), perChannel("int8", zeros, 0));
      const c = writer.op(conv([3, 3], [1, 1, 1, 1], group), [writer.pair("x", sx), w]);
      const row = (name: string, values: readonly number[], shape = [4]) =>
        writer.builder.constant(name, float32(shape, Float32Array.from(values)));
      const k = row("k", [0.5, 1.5, 2, 0.9], [1, 4, 1, 1]);
      const norm = [
        row("gamma", [1.2, -0.8, 0.7, 0]),
        row("beta", [0.1, 2, -0.3, 3]),
        row("mean", [0.2, -0.1, 0, 1]),
        row("variance", [0.9, 1.4, 0.6, 1]),
      ];
      const d = writer.op({ op: "Div" }, [c, k]);
      const n = writer.op({ op: "BatchNormalization", epsilon: 1e-5 }, [d, ...norm]);
      const graph = writer.build(writer.pair(writer.op({ op: "Relu" }, [n]), sy));
      const { steps, share, read } = both(graph, [1, 4, 5, 5]);
      expect(share).toBe(1);
      expect(steps).toBeLessThan(1.01);
      expect(read.nodes.map(({ op }) => op)).toEqual(["Quantize", "Conv", "Dequantize"]);
      const { dtype } = read.values.get(read.nodes[1]!.inputs[1]!)!;
      expect(dtype).toBe("int8");
    },
  );

  it("an activation whose codes are clipped", () => {
    const writer = new Writer([1, 2, 3]);
    const narrow = perTensor("int8", 0.05, 3);
    const q = writer.op({ op: "Quantize" }, ["x"], narrow);
    const cast = { op: "Cast", to: "int8" };
    const plain = writer.op(cast, [q]);
    const clipped = writer.op({ op: "Clip", low: -20, high: 90 }, [plain]);
    const x = writer.op({ op: "Dequantize" }, [writer.op(cast, [clipped], narrow)]);
    const w = writer.weight(codes("uint8", [3, 4], 3), perTensor("uint8", 0.02, 99));
    const y = writer.op({ op: "MatMul" }, [x, w]);
    const { steps, share } = both(writer.build(writer.pair(y, sy)), [1, 2, 3]);
    expect(share).toBe(1);
    expect(steps).toBeLessThan(1.01);
  });
});

describe("what stays float says why:", () => {
  const layer = (build: (writer: Writer, x: string, w: string) => string) => {
    const writer = new Writer([2, 3]);
    const w = writer.weight(codes("int8", [3, 4], 3), perTensor("int8", 0.02, 0));
    const graph = writer.build(build(writer, writer.pair("x", sx), w));
    const { float } = both(graph, [2, 3]).report;
    return float.find(({ op }) => op === "MatMul")?.why;
  };

  it.each([
    [
      'its output "node_3.out" is an output of the model in float',
      (writer: Writer, x: string, w: string) => writer.op({ op: "MatMul" }, [x, w]),
    ],
    [
      'its input "x" is not quantized',
      (writer: Writer, _: string, w: string) =>
        writer.pair(writer.op({ op: "MatMul" }, ["x", w]), sy),
    ],
    [
      'its output "node_3.out" is read in float by Exp "node_4"',
      (writer: Writer, x: string, w: string) =>
        writer.op({ op: "Exp" }, [writer.op({ op: "MatMul" }, [x, w])]),
    ],
  ] as const)("%s", (why, build) => {
    expect(layer(build)).toBe(why);
  });

  it("scales along the sum", () => {
    const writer = new Writer([2, 3]);
    const w = writer.weight(codes("int8", [3, 4], 3), perChannel("int8", [0, 0, 0], 0));
    const y = writer.op({ op: "MatMul" }, [writer.pair("x", sx), w]);
    const { report, steps } = both(writer.build(writer.pair(y, sy)), [2, 3]);
    expect(steps).toBe(0);
    expect(report.float).toEqual([
      expect.objectContaining({
        why: "its weight has scales along axis 0, not along its output channels",
      }),
    ]);
  });
});
