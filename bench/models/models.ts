// The models of the bench, as ONNX files that every contestant loads: the standard ones with random
// weights, or a file of the user's; and the int8 form, which this library makes in QDQ.

import { symbolicDims } from "../../src/compile.ts";
import { exportOnnx } from "../../src/formats/onnx/index.ts";
import { bindShapes } from "../../src/graph/bind.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { macsOf } from "../../src/graph/macs.ts";
import { fuse } from "../../src/quantize/fuse.ts";
import {
  calibrate,
  convert,
  load,
  Model,
  prepare,
  qconfigs,
  save,
  type Device,
  type QConfig,
  type Tensors,
} from "../../src/index.ts";
import { normal, random, type Random } from "../core/random.ts";
import { mobilenetV2 } from "./mobilenet.ts";
import { resnet18, resnet50 } from "./resnet.ts";

export const STANDARD = { mobilenetV2, resnet18, resnet50 } as const;
export type StandardName = keyof typeof STANDARD;

export const TITLES: Readonly<Record<StandardName, string>> = {
  mobilenetV2: "MobileNetV2",
  resnet18: "ResNet-18",
  resnet50: "ResNet-50",
};

/** Weights are the same in every run, so that runs compare; inputs are not. */
export const WEIGHT_SEED = 20150206;

export interface BenchModel {
  readonly title: string;
  /** Absent where the file is quantized already. */
  readonly float?: Uint8Array;
  readonly int8: Uint8Array;
}

/** The bytes of a standard model with random weights. */
export function standardFile(name: StandardName): Uint8Array {
  return exportOnnx(STANDARD[name](random(WEIGHT_SEED)));
}

const minMaxActivations: QConfig = {
  activation: { ...qconfigs.int8.activation, observer: { kind: "minMax" } },
  weight: qconfigs.fbgemm.weight,
};

/** `file` in both forms. Quantizes a float one over two random pictures: min/max ranges, which is the
 *  quickest way to an int8 model, not the most accurate. */
export async function bothForms(
  title: string,
  file: Uint8Array,
  device: Device,
  next: Random,
): Promise<BenchModel> {
  const model = await load(file);
  if (model.stage === "quantized") return { title, int8: file };
  const pictures = [drawInputs(model.graph, 1, next), drawInputs(model.graph, 1, next)];
  const prepared = prepare(model, { qconfig: minMaxActivations });
  const calibrated = await calibrate(prepared, pictures, { device, biasCorrection: false });
  return { title, float: file, int8: save(convert(calibrated)) };
}

/** Sizes of the open axes: `batch` for the first of each input, 1 for any other. */
export function batchDims(graph: Graph, batch: number): Map<string, number> {
  const batches = new Set(graph.inputs.map((name) => graph.values.get(name)?.shape[0]));
  return new Map(symbolicDims(graph).map((name) => [name, batches.has(name) ? batch : 1]));
}

export const bindBatch = (graph: Graph, batch: number) =>
  bindShapes(graph, batchDims(graph, batch));

/** Normally distributed inputs. Throws where the model wants integers. */
export function drawInputs(graph: Graph, batch: number, next: Random): Tensors {
  const bound = bindBatch(graph, batch);
  return Object.fromEntries(
    graph.inputs.map((name) => {
      const value = bound.values.get(name);
      if (value?.dtype === "float32") return [name, normal(value.shape, next)];
      throw new Error(
        `bench: input "${name}" must be float32; got ${value?.dtype}. Only float inputs can be drawn at random.`,
      );
    }),
  );
}

/** Multiply-accumulates of one picture, and bytes of the weights (matrices and filters). */
export async function workOf(file: Uint8Array): Promise<{ macs: number; weights: number }> {
  const model: Model = await load(file);
  const graph = model.stage === "float" ? fuse(model.graph) : model.graph;
  const bound = bindBatch(graph, 1);
  const macs = bound.nodes.reduce((sum, node) => sum + macsOf(bound, node), 0);
  const weights = [...graph.constants.values()]
    .filter(({ shape }) => shape.length > 1)
    .reduce((sum, { data }) => sum + data.byteLength, 0);
  return { macs, weights };
}
