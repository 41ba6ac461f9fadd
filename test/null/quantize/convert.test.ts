// Convert on the host: a calibration made by the reference becomes a typed integer graph, float islands
// stand between explicit Quantize and Dequantize, and the numbers stay close to the float model's.

import { describe, expect, it } from "vitest";
import { decibels } from "../../../src/compare.ts";
import { dequantizeTensor } from "../../../src/graph/arithmetic.ts";
import { bindShapes } from "../../../src/graph/bind.ts";
import { GraphBuilder } from "../../../src/graph/builder.ts";
import type { Graph } from "../../../src/graph/graph.ts";
import { printGraph } from "../../../src/graph/print.ts";
import { annotate, type Overrides } from "../../../src/quantize/annotate.ts";
import type { Calibration } from "../../../src/quantize/calibration.ts";
import { convertGraph } from "../../../src/quantize/convert.ts";
import { buildCorrection } from "../../../src/quantize/correct.ts";
import { fuse } from "../../../src/quantize/fuse.ts";
import { insertObservers } from "../../../src/quantize/prepare.ts";
import { qconfigs } from "../../../src/quantize/presets.ts";
import type { QConfig } from "../../../src/quantize/qconfig.ts";
import { interpret } from "../../../src/reference/interpret.ts";
import type { Tensor, Tensors } from "../../../src/tensor/tensor.ts";
import { calibrateOnHost } from "../../support/calibrate.ts";
import { pictures, residualGraph } from "../../support/models.ts";
import { floats } from "../../support/seeded.ts";

const fused = fuse(residualGraph());
const data = [1, 2, 3, 4].map((seed) => pictures(4, seed));

interface Options {
  readonly qconfig?: QConfig;
  readonly overrides?: Overrides;
  readonly change?: (calibration: Calibration) => Calibration;
}

function quantize(graph: Graph, batches: readonly Tensors[], options: Options = {}): Graph {
  const assignment = annotate(graph, options.qconfig ?? qconfigs.int8, options.overrides);
  const found = calibrateOnHost(insertObservers(graph, assignment), batches);
  return convertGraph(graph, assignment, options.change?.(found) ?? found);
}

const run = (graph: Graph, inputs: Tensors, batch = 4) =>
  interpret(bindShapes(graph, new Map([["batch", batch]])), inputs);

/** SQNR of the outputs of `graph` against the float model, on pictures that calibration never saw. */
function sqnr(graph: Graph): number {
  let [signal, noise] = [0, 0];
  for (const seed of [11, 12, 13]) {
    const input = pictures(4, seed);
    const [x, y] = [fused, graph].map(
      (each) => run(each, input).get("scores")!.data as Float32Array,
    );
    x!.forEach((value, index) => {
      signal += value ** 2;
      noise += (value - y![index]!) ** 2;
    });
  }
  return decibels(signal, noise);
}

describe("a residual network", () => {
  it("becomes integer from the first Quantize to the last Dequantize", () => {
    expect(printGraph(quantize(fused, data))).toMatchInlineSnapshot(`
      "graph residual(images: float32[batch, 3, 8, 8])
        images_quantized: uint8[batch, 3, 8, 8]·(0.01567, 128) = Quantize(images)
        stem.relu6.out: uint8[batch, 8, 4, 4]·(0.02352, 0) = Conv(images_quantized, stem/folded_filter_quantized, stem/bias_int32) kernel=[3,3] strides=[2,2] dilations=[1,1] pads=[1,1,1,1] group=1 low=0 high=6
        depthwise.relu6.out: uint8[batch, 8, 4, 4]·(0.02352, 0) = Conv(stem.relu6.out, depthwise/folded_filter_quantized, depthwise/bias_int32) kernel=[3,3] strides=[1,1] dilations=[1,1] pads=[1,1,1,1] group=8 low=0 high=6
        pointwise.norm: uint8[batch, 8, 4, 4]·(0.04855, 103) = Conv(depthwise.relu6.out, pointwise/folded_filter_quantized, pointwise/bias_int32) kernel=[1,1] strides=[1,1] dilations=[1,1] pads=[0,0,0,0] group=1
        sum: uint8[batch, 8, 4, 4]·(0.05720, 85) = Add(stem.relu6.out, pointwise.norm)
        pooled: uint8[batch, 8, 1, 1]·(0.02292, 51) = GlobalAveragePool(sum)
        flat: uint8[batch, 8]·(0.02292, 51) = Flatten(pooled) axis=1
        scores_quantized: uint8[batch, 5]·(0.01664, 142) = Gemm(flat, head.weight_quantized, head/bias_int32) alpha=1 beta=1 transA=false transB=true
        scores: float32[batch, 5] = Dequantize(scores_quantized)
        return scores"
    `);
  });

  it.each([
    // Measured: 30.6, 30.7, 30.6 and 29.6 dB. A wrong scale or zero point costs more than ten.
    ["int8", 28],
    ["onednn", 28],
    ["qnnpack", 28],
    ["fbgemm", 27],
  ] as const)("with %s stays %i dB or more above its error", (name, least) => {
    expect(sqnr(quantize(fused, data, { qconfig: qconfigs[name] }))).toBeGreaterThan(least);
  });

  it("keeps an excluded layer float, between explicit conversions", () => {
    const graph = quantize(fused, data, { overrides: { pointwise: null } });
    const lines = printGraph(graph).split("\n");
    const at = lines.findIndex((line) => line.includes("pointwise.norm"));
    expect(lines.slice(at - 1, at + 2)).toMatchInlineSnapshot(`
      [
        "  depthwise.relu6.out: float32[batch, 8, 4, 4] = Dequantize(depthwise.relu6.out_quantized)",
        "  pointwise.norm: float32[batch, 8, 4, 4] = Conv(depthwise.relu6.out, pointwise/folded_filter, pointwise/folded_bias) kernel=[1,1] strides=[1,1] dilations=[1,1] pads=[0,0,0,0] group=1",
        "  pointwise.norm_quantized: uint8[batch, 8, 4, 4]·(0.04855, 103) = Quantize(pointwise.norm)",
      ]
    `);
    expect(sqnr(graph)).toBeGreaterThan(28); // as above
  });

  it("with everything excluded is the float model", () => {
    expect(quantize(fused, data, { overrides: { "*": null } })).toEqual(fused);
  });

  it("adds a bias correction to the bias it quantizes", () => {
    const delta = Float32Array.of(0.5, -0.25, 0, 1, -1);
    const change = (found: Calibration) => ({
      ...found,
      biasCorrection: new Map([["head", delta]]),
    });
    const [plain, corrected] = [quantize(fused, data), quantize(fused, data, { change })];
    const biasOf = (graph: Graph) => {
      const name = graph.nodes.find(({ name }) => name === "head")!.inputs[2]!;
      return {
        q: graph.constants.get(name)!.data as Int32Array,
        quant: graph.values.get(name)!.quant!,
      };
    };
    const [before, after] = [biasOf(plain), biasOf(corrected)];
    expect(before.quant.dtype).toBe("int32");
    delta.forEach((shift, c) => {
      const moved = (after.q[c]! - before.q[c]!) * after.quant.scale[c]!;
      expect(Math.abs(moved - shift)).toBeLessThanOrEqual(after.quant.scale[c]!); // one step of bias
    });
  });
});

describe("bias correction", () => {
  it("finds each layer's shift of channel means, and takes it away", () => {
    // Weights per tensor shift means the most; a range that clips nothing leaves them alone.
    const { activation, weight } = qconfigs.qnnpack;
    const observer = { kind: "minMax" } as const;
    const assignment = annotate(fused, { activation: { ...activation, observer }, weight });
    const batch = pictures(16, 21);
    const calibration = calibrateOnHost(insertObservers(fused, assignment), [batch]);
    const { graph, layers } = buildCorrection(fused, assignment, calibration.statistics)!;
    expect([...layers.values()]).toEqual(["stem", "depthwise", "pointwise", "head"]);
    const deltas = run(graph, batch, 16);
    const biasCorrection = new Map(
      [...layers].map(([output, node]) => [node, deltas.get(output)!.data as Float32Array]),
    );
    // Of a layer without a clamp: 256 elements a channel average the rounding of its own output away.
    const meansOf = (each: Graph) => {
      const value = run(each, batch, 16).get("pointwise.norm")!;
      const { quant } = each.values.get("pointwise.norm")!;
      const reals = quant ? dequantizeTensor(value as Tensor<"uint8">, quant) : value;
      const means = new Float64Array(8);
      (reals.data as Float32Array).forEach((real, index) => {
        means[Math.floor(index / 16) % 8]! += real / 256;
      });
      return [...means];
    };
    const want = meansOf(fused);
    const shift = (each: Graph) =>
      Math.max(...meansOf(each).map((mean, c) => Math.abs(mean - want[c]!)));
    const plain = shift(convertGraph(fused, assignment, calibration));
    const corrected = shift(convertGraph(fused, assignment, { ...calibration, biasCorrection }));
    expect(corrected).toBeLessThan(plain / 4);
  });

  it("is nothing where no layer runs in integers", () => {
    const assignment = annotate(fused, qconfigs.int8, { "*": null });
    expect(buildCorrection(fused, assignment, new Map())).toBeUndefined();
  });
});

describe("float islands", () => {
  /** x (batch, 3) → Gemm → Softmax → Mul by a constant → Transpose. */
  function island(): Graph {
    const builder = new GraphBuilder();
    builder.input("x", { dtype: "float32", shape: ["batch", 3] });
    builder.constant("w", floats([3, 5], 1));
    builder.constant("k", floats([5], 2));
    const gemm = { alpha: 1, beta: 1, transA: false, transB: false };
    builder.add({ op: "Gemm", name: "gemm", inputs: ["x", "w"], outputs: ["g"], ...gemm });
    builder.add({ op: "Softmax", name: "softmax", inputs: ["g"], outputs: ["p"], axis: 1 });
    builder.add({ op: "Mul", name: "mul", inputs: ["p", "k"], outputs: ["m"] });
    builder.add({ op: "Transpose", name: "turn", inputs: ["m"], outputs: ["t"], perm: [1, 0] });
    return builder.build("island", ["x"], ["t"]);
  }

  it("stand between explicit Dequantize and Quantize; constants are quantized with their own range", () => {
    const graph = quantize(island(), [{ x: floats([6, 3], 3, 2) }]);
    expect(printGraph(graph)).toMatchInlineSnapshot(`
      "graph island(x: float32[batch, 3])
        x_quantized: uint8[batch, 3]·(0.01319, 140) = Quantize(x)
        g_quantized: uint8[batch, 5]·(0.01453, 122) = Gemm(x_quantized, w_quantized) alpha=1 beta=1 transA=false transB=false
        g: float32[batch, 5] = Dequantize(g_quantized)
        p: float32[batch, 5] = Softmax(g) axis=1
        p_quantized: uint8[batch, 5]·(0.002813, 0) = Quantize(p)
        m: uint8[batch, 5]·(0.001709, 147) = Mul(p_quantized, k_quantized)
        t_quantized: uint8[5, batch]·(0.001709, 147) = Transpose(m) perm=[1,0]
        t: float32[5, batch] = Dequantize(t_quantized)
        return t"
    `);
    const weight = graph.values.get(graph.nodes.find(({ name }) => name === "gemm")!.inputs[1]!)!;
    expect(weight.quant!.axis).toBe(1); // the columns of w are the output channels
  });

  it("compute what the float graph computes, but for rounding", () => {
    const input = { x: floats([4, 3], 5, 2) };
    const [x, y] = [island(), quantize(island(), [{ x: floats([6, 3], 3, 2) }, input])].map(
      (graph) => run(graph, input).get("t")!.data as Float32Array,
    );
    // Codes of 8 bits over a range of about 1: half a step of three roundings.
    x!.forEach((value, index) => expect(Math.abs(value - y![index]!)).toBeLessThan(3 / 255));
  });
});
