// A float graph → every kind of model that is saved: as it is, statically quantized under the presets, dynamically,
// with weights in fewer bits, and after quantization-aware training.

import type { Graph } from "../../src/graph/graph.ts";
import { convert } from "../../src/convert.ts";
import { Model } from "../../src/model.ts";
import { prepare, type PrepareOptions } from "../../src/prepare.ts";
import { prepareQat } from "../../src/prepareQat.ts";
import { qconfigs } from "../../src/quantize/presets.ts";
import { quantizeDynamic } from "../../src/quantizeDynamic.ts";
import type { Tensors } from "../../src/tensor/tensor.ts";
import { calibrateOnHost } from "./calibrate.ts";

export type Saved = Model<"float" | "quantized">;

function calibrated(graph: Graph, batches: readonly Tensors[], options: PrepareOptions = {}) {
  const { graph: observed, details } = prepare(new Model("float", graph, {}), options);
  const calibration = calibrateOnHost(observed, batches);
  return new Model("calibrated", observed, { ...details, calibration });
}

/** How a model comes to be, by name. */
export const savedModes: Readonly<
  Record<string, (graph: Graph, batches: readonly Tensors[]) => Saved>
> = {
  float: (graph) => new Model("float", graph, {}),
  int8: (graph, batches) => convert(calibrated(graph, batches)),
  qnnpack: (graph, batches) => convert(calibrated(graph, batches, { qconfig: qconfigs.qnnpack })),
  fbgemm: (graph, batches) => convert(calibrated(graph, batches, { qconfig: qconfigs.fbgemm })),
  equalized: (graph, batches) =>
    convert(calibrated(graph, batches, { qconfig: qconfigs.int8PerTensor, equalize: true })),
  addsInFloat: (graph, batches) => {
    const hasAdd = graph.nodes.some(({ op }) => op === "Add");
    return convert(calibrated(graph, batches, hasAdd ? { overrides: { Add: null } } : {}));
  },
  qat: (graph, batches) =>
    convert(prepareQat(new Model("float", graph, {}), { calibrated: calibrated(graph, batches) })),
  dynamic: (graph) => quantizeDynamic(new Model("float", graph, {})),
  weights8: (graph) =>
    quantizeDynamic(new Model("float", graph, {}), { dtype: "int8-weight-only" }),
  weights4: (graph) =>
    quantizeDynamic(new Model("float", graph, {}), { dtype: "int4-weight-only" }),
  float16: (graph) => quantizeDynamic(new Model("float", graph, {}), { dtype: "float16" }),
};
