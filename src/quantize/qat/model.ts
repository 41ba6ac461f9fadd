// A network in quantization-aware training, as plain data: its structure, which never changes, and the tensors
// that training changes, by name. Graphs to train, to evaluate and to convert are functions of it.

import type { Graph } from "../../graph/graph.ts";
import type { RangeRule } from "../../graph/qparams.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { Assignment } from "../annotate.ts";
import type { SeparateNorm } from "../fuse.ts";
import type { TensorSpec } from "../qconfig.ts";

/** Where one tensor is fake-quantized, and the names of what that needs, in the state. */
export interface Quantizer {
  readonly spec: TensorSpec;
  readonly rule: RangeRule;
  /** Of a weight's output channels, where they have a scale each. */
  readonly axis?: number;
  /** docs/quantization.md (11). Without it the range is the tensor's own at every step. */
  readonly averagingConstant?: number;
  /** (2), or (2, C): MovingAverageObserve's. */
  readonly range: string;
  /** [], or (C). */
  readonly scale: string;
  readonly zeroPoint: string;
}

export interface Qat {
  /** Fused, with every layer's own filter: its normalization stands beside it, in `norms`. */
  readonly graph: Graph;
  /** By the name of the convolution. */
  readonly norms: ReadonlyMap<string, SeparateNorm>;
  readonly assignment: Assignment;
  /** Root (sites.ts) → how it is quantized. */
  readonly activations: ReadonlyMap<string, Quantizer>;
  /** Layer → how its weight is quantized. */
  readonly weights: ReadonlyMap<string, Quantizer>;
  /** Weights, biases, and scales and shifts of normalizations: names in the state. */
  readonly parameters: readonly string[];
  /** Parameters, running statistics, ranges, scales and zero points. */
  readonly state: ReadonlyMap<string, Tensor>;
}

/** How a step of training runs: PyTorch's enable_observer, enable_fake_quant and freeze_bn_stats. */
export interface QatMode {
  /** "batch": docs/quantization.md (22). "frozen": running statistics, (23). */
  readonly batchNorm: "batch" | "frozen";
  /** Whether ranges, and scales with them, follow what is seen. */
  readonly observers: boolean;
  /** Whether numbers are rounded at all. */
  readonly fakeQuantize: boolean;
  /** Whether scales and zero points are trained, (20): then nothing is observed. */
  readonly learnable: boolean;
}

/** A float32 tensor of the state. */
export function floatsOf({ state }: Qat, name: string): Tensor<"float32"> {
  const tensor = state.get(name);
  if (tensor?.dtype === "float32") return tensor as Tensor<"float32">;
  throw new Error(`qat: the state has no float32 "${name}"; please report.`);
}

/** Whether a range of `quantizer` was seen. */
export function wasSeen(qat: Qat, quantizer: Quantizer): boolean {
  const { data } = floatsOf(qat, quantizer.range);
  return Number.isFinite(data[0]);
}
