// PyTorch's own quantized MobileNetV2 (TorchScript, qnnpack) on WebGPU: its integers, its logits, its
// top-1, and its QDQ export in another runtime. `npm test` takes every fifth picture for the two runs
// over pictures that WebGPU on a CPU makes long; `npm run figures` takes all 500.

import { beforeAll, describe, expect, it } from "vitest";
import * as ort from "onnxruntime-web";
import {
  compile,
  float32,
  inspect,
  load,
  Model,
  requestDevice,
  save,
  type Device,
  type Tensors,
} from "../../src/node.ts";
import { bindShapes } from "../../src/graph/bind.ts";
import { GraphBuilder } from "../../src/graph/builder.ts";
import { valueOf, type Graph } from "../../src/graph/graph.ts";
import { interpret } from "../../src/reference/interpret.ts";
import { inTop } from "../../src/metrics.ts";
import { batches, presets } from "../../src/pictures.ts";
import { parseNpy } from "../../src/tensor/npy.ts";
import { hasSharedData, imagenetSample, readShared } from "../support/sharedData.ts";

const file = "models/mobilenetv2-torchvision-qnnpack.pt";
const isThere = hasSharedData(file, "PyTorch's quantized MobileNetV2");
const full = process.env["FIGURES"] === "all";
const refs = "refs/mobilenetv2-torchvision-qnnpack";

type Picture = ReturnType<typeof imagenetSample>[number];

/** Name in refs/qnnpack-layers → the graph's value. */
const layers: readonly (readonly [string, string])[] = [
  ["input", "quantize_per_tensor.out"],
  ["features.0.0", "features.0.0.out"],
  ["features.1.conv.0.0", "features.1.conv.0.0.out"],
  ["features.2.conv.1.0", "features.2.conv.1.0.out"],
  ["features.2.conv.2", "features.2.conv.2.out"],
  ["features.3.conv.2", "features.3.conv.2.out"],
  ["add1", "add.out"],
  ["features.17.conv.2", "features.17.conv.2.out"],
  ["features.18.0", "features.18.0.out"],
  ["avgpool", "adaptive_avg_pool2d.out"],
  ["classifier.1", "classifier.1.out"],
];

/** `graph` with the quantized `names` as outputs. */
function showing(graph: Graph, names: readonly string[]): Graph {
  const builder = GraphBuilder.from(graph);
  for (const node of graph.nodes) {
    const { dtype, quant } = valueOf(graph, node.outputs[0]!);
    builder.add(node, { dtype, ...(quant ? { quant } : {}) });
  }
  return builder.build(graph.name, graph.inputs, [...names, ...graph.outputs]);
}

const size = 3 * 224 * 224;

describe.runIf(isThere)("torchvision's quantized MobileNetV2, a TorchScript archive", () => {
  const pictures = isThere ? imagenetSample() : [];
  const sample = full ? pictures : pictures.filter((_, index) => index % 5 === 0);
  let device: Device;
  let model: Model<"quantized">;
  let input: Float32Array;

  beforeAll(async () => {
    device = await requestDevice();
    const loaded = await load(readShared(file));
    model = loaded as Model<"quantized">;
    input = parseNpy(readShared(`${refs}.input.npy`)).data as Float32Array;
  });

  const picture = (index: number) =>
    float32([1, 3, 224, 224], input.slice(index * size, (index + 1) * size));

  it("loads with every layer in integers, and saves in at most 3.7 MB", () => {
    expect(model.stage).toBe("quantized");
    expect(model.inputs).toEqual({ X: { dtype: "float32", shape: [1, 3, 224, 224] } });
    const { integerMacShare } = inspect(model);
    const bytes = save(model).length;
    console.log(`QDQ export: ${bytes} bytes; ${100 * integerMacShare} % of MACs in integers`);
    expect(integerMacShare).toBe(1);
    expect(bytes).toBeLessThanOrEqual(3_700_000);
  });

  /** Elements of each layer that differ from PyTorch's, and the greatest difference. */
  function compareLayers(got: Tensors) {
    let [elements, differing] = [0, 0];
    for (const [name, value] of layers) {
      const want = parseNpy(readShared(`refs/qnnpack-layers/${name}.npy`));
      const ours = got[value]!;
      expect(ours.data.length).toBe(want.data.length);
      const steps = Array.from(want.data as Uint8Array, (q, at) =>
        Math.abs(q - Number(ours.data[at])),
      );
      const wrong = steps.filter((step) => step > 0).length;
      if (wrong > 0) console.log(`${name}: ${wrong} of ${steps.length} differ`);
      expect(steps.every((step) => step <= 1)).toBe(true);
      elements += steps.length;
      differing += wrong;
    }
    return { elements, differing };
  }

  const names = layers.map(([, value]) => value);

  it("has PyTorch's bytes in 11 layers on WebGPU", async () => {
    using session = await compile(new Model("quantized", showing(model.graph, names), {}), device);
    const { elements, differing } = compareLayers(await session.run({ X: picture(0) }));
    console.log(`WebGPU: ${differing} of ${elements} bytes differ from PyTorch's`);
    expect(differing).toBe(0);
  });

  it("has PyTorch's bytes in 11 layers in the reference interpreter", () => {
    const values = interpret(bindShapes(model.graph, new Map()), { X: picture(0) });
    const { elements, differing } = compareLayers(Object.fromEntries(values));
    console.log(`reference: ${differing} of ${elements} bytes differ from PyTorch's`);
    expect(differing).toBe(0);
  });

  it("has PyTorch's logits for eight pictures", async () => {
    const want = parseNpy(readShared(`${refs}.logits.npy`)).data as Float32Array;
    const step = 0.15309934318065643; // of the logits
    using session = await compile(model, device);
    let differing = 0;
    for (let index = 0; index < 8; index++) {
      const got = (await session.run({ X: picture(index) }))["output"]!.data as Float32Array;
      const steps = Array.from(got, (x, at) => Math.abs(x - want[index * 1000 + at]!) / step);
      const wrong = steps.filter((each) => each > 0.01).length;
      if (wrong > 0) console.log(`picture ${index}: ${wrong} of 1000 logits differ`);
      differing += wrong;
    }
    console.log(`${differing} of 8000 logits differ from PyTorch's`);
    expect(differing).toBe(0);
  });

  async function top1(list: readonly Picture[], run: (x: Tensors) => Promise<Float32Array>) {
    const options = { input: "X", spec: presets.imagenet, height: 224, width: 224, batch: 1 };
    let hits = 0;
    let at = 0;
    for await (const { tensors } of batches(list, options)) {
      if (inTop(await run(tensors), list[at++]!.label, 1)) hits++;
    }
    return (100 * hits) / list.length;
  }

  it("has PyTorch's top-1 within one picture, and its export in onnxruntime-web within 0.6 points", async () => {
    using session = await compile(model, device);
    const ours = await top1(sample, async (tensors) => {
      return (await session.run(tensors))["output"]!.data as Float32Array;
    });
    ort.env.wasm.numThreads = 1;
    const other = await ort.InferenceSession.create(save(model));
    const theirs = await top1(sample, async ({ X }) => {
      const feeds = { X: new ort.Tensor("float32", X!.data as Float32Array, [...X!.shape]) };
      return (await other.run(feeds))["output"]!.data as Float32Array;
    });
    console.log(
      `top-1 of ${sample.length} pictures: ${ours} % here, ${theirs} % in onnxruntime-web`,
    );
    if (full)
      expect(Math.abs(ours - 83.0)).toBeLessThanOrEqual(0.2 + 1e-9); // one picture of 500
    else expect(Math.abs(ours - 84)).toBeLessThanOrEqual(1); // TODO
    expect(Math.abs(ours - theirs)).toBeLessThanOrEqual(full ? 0.6 : 1); // one picture of 100 is a point
  });
});
