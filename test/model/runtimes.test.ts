// Why our logits and ONNX Runtime's are not always the same bits (docs/quantization.md, section 12):
// every layer of an exported MobileNetV2 is read out of both, and the first that differs is an Add.

import { describe, expect, it } from "vitest";
import * as ort from "onnxruntime-web";
import {
  calibrate,
  compile,
  convert,
  float32,
  load,
  Model,
  prepare,
  requestDevice,
} from "../../src/node.ts";
import { exportOnnx } from "../../src/formats/onnx/index.ts";
import { GraphBuilder } from "../../src/graph/builder.ts";
import { valueOf, type Graph } from "../../src/graph/graph.ts";
import { parseNpy } from "../../src/tensor/npy.ts";
import { hasSharedData, readShared } from "../support/sharedData.ts";

const isThere = hasSharedData(
  "refs/mobilenetv2-float.input.npy",
  "the comparison with onnxruntime-web layer by layer",
);

/** A quantized value that is read out: its node's op, its scale, and the float output that shows it. */
interface Probe {
  readonly op: string;
  readonly scale: number;
  readonly output: string;
}

/** `graph` with every quantized value dequantized to an output of its own. */
function withProbes(graph: Graph): { graph: Graph; probes: Probe[] } {
  const builder = GraphBuilder.from(graph);
  const probes: Probe[] = [];
  for (const node of graph.nodes) {
    const { dtype, quant } = valueOf(graph, node.outputs[0]!);
    builder.add(node, { dtype, ...(quant ? { quant } : {}) });
    if (!quant) continue;
    const output = `${node.outputs[0]}_probe`;
    builder.add(
      {
        op: "Dequantize",
        name: `${output}/dequantize`,
        inputs: [node.outputs[0]!],
        outputs: [output],
      },
      { dtype: "float32" },
    );
    probes.push({ op: node.op, scale: quant.scale[0]!, output });
  }
  const outputs = [...probes.map(({ output }) => output), ...graph.outputs];
  return { graph: builder.build(graph.name, graph.inputs, outputs), probes };
}

describe.runIf(isThere)("an exported MobileNetV2 in onnxruntime-web", () => {
  it("has our integers in every layer up to an Add that rounds a tie or near-tie another way", async () => {
    using device = await requestDevice();
    const model = (await load(readShared("models/mobilenetv2-float.onnx"))) as Model<"float">;
    const { data } = parseNpy(readShared("refs/mobilenetv2-float.input.npy"));
    const size = 3 * 224 * 224;
    const picture = (index: number) =>
      float32([1, 3, 224, 224], (data as Float32Array).slice(index * size, (index + 1) * size));
    const samples = [0, 1].map((index) => ({ input: picture(index) }));
    const calibrated = await calibrate(prepare(model), samples, { device, biasCorrection: false });
    const { graph, probes } = withProbes(convert(calibrated).graph);
    using session = await compile(new Model("quantized", graph, {}), device);
    ort.env.wasm.numThreads = 1;
    const theirs = await ort.InferenceSession.create(exportOnnx(graph));
    for (const index of [0, 3, 6]) {
      const input = picture(index);
      const ours = await session.run({ input });
      const feeds = { input: new ort.Tensor("float32", input.data, [...input.shape]) };
      const other = await theirs.run(feeds);
      const differences = probes.map(({ op, scale, output }) => {
        const [a, b] = [ours[output]!.data as Float32Array, other[output]!.data as Float32Array];
        const steps = a
          .map((value, at) => Math.abs(value - b[at]!) / scale)
          .filter((step) => step > 0.5);
        return {
          op,
          output,
          count: steps.length,
          of: a.length,
          most: Math.round(Math.max(0, ...steps)),
        };
      });
      const first = differences.find(({ count }) => count > 0);
      const same = differences.filter(({ count }) => count === 0).length;
      console.log(
        `picture ${index}: ${same} of ${probes.length} layers equal` +
          (first
            ? `; first ${first.op} ${first.output}: ${first.count} of ${first.of} by ${first.most}`
            : ""),
      );
      if (!first) continue;
      expect(first.op).toMatch(/^(Add|Quantize)$/);
      expect(first.most).toBe(1);
      expect(first.count / first.of).toBeLessThan(1e-3); // (37) against QLinearAdd: 20 of 1.5 million
    }
  });
});
