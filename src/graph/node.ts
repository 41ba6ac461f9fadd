// The ops, as one discriminated union. Names, inputs and attributes follow ONNX; what ONNX spells in
// several ways (auto_pad, clip bounds as inputs, axes as inputs) has one spelling here, made on import.

import type { ConvGradNode } from "./convGrads.ts";
import type { DType } from "../tensor/dtype.ts";
import type { DynamicRule } from "./dynamic.ts";
import type { FakeQuantizeNode } from "./fakeQuantized.ts";
import type { LearningNode } from "./learning.ts";
import type { GradientNode } from "./gradients.ts";
import type { Dim } from "./value.ts";
import type { ObserverSpec } from "./observer.ts";
import type { RecurrentAttributes } from "./recurrent.ts";
import type { OptimizerNode } from "./updates.ts";

export interface Common {
  /** Unique in the graph; the ONNX node's name where it has one. */
  readonly name: string;
  /** Names of values. An absent optional input is left off the end, never "". */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

/** PyTorch's engine whose roundings an integer op follows where engines differ, by at most 1 in a code:
 *  docs/quantization.md, sections 9 and 10. Without one, the library's own: ONNX Runtime's. */
export type Engine = "fbgemm" | "qnnpack";

interface Rounded {
  readonly engine?: Engine;
}

/** A fused activation: bounds of the output in real units, −∞ and ∞ where open. */
export interface Clamp {
  readonly low?: number;
  readonly high?: number;
}

/** One bound for all output channels, or one for each: graph/clamp.ts. */
export type Bound = number | readonly number[];

/** A fused activation whose bounds may differ by output channel, axis 1 of the output. */
export interface ChannelClamp {
  readonly low?: Bound;
  readonly high?: Bound;
}

/** A 2-D window. pads: top, left, bottom, right, already resolved from auto_pad. */
export interface Window {
  readonly kernel: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly dilations: readonly [number, number];
  readonly pads: readonly [number, number, number, number];
}

/** inputs: x (B, C, H, W), filter (O, C/group, kh, kw), bias (O)?. */
export interface Conv extends Common, Window, ChannelClamp, Rounded {
  readonly op: "Conv";
  readonly group: number;
}

/** y = alpha · op(a) · op(b) + beta · c. inputs: a (M, K), b (K, N), c broadcastable to (M, N)?. */
export interface Gemm extends Common, ChannelClamp, Rounded {
  readonly op: "Gemm";
  readonly alpha: number;
  readonly beta: number;
  readonly transA: boolean;
  readonly transB: boolean;
}

/** numpy matmul with broadcasting of leading axes. */
export interface MatMul extends Common, Clamp {
  readonly op: "MatMul";
}

/** inputs: x (B, C, …), scale, bias, mean, variance, each (C). */
export interface BatchNormalization extends Common {
  readonly op: "BatchNormalization";
  readonly epsilon: number;
}

/** x (…), normalized over the axes from `axis` on: (x − mean) / √(variance + epsilon) · scale + bias, both of
 *  them broadcastable to x. inputs: x, scale, bias?. axis: non-negative. */
export interface LayerNormalization extends Common {
  readonly op: "LayerNormalization";
  readonly axis: number;
  readonly epsilon: number;
}

/** A node of each op in O, without attributes. */
type Plain<O extends string> = O extends string ? Common & { readonly op: O } : never;

/** Element-wise with one input; functions.ts has what each computes. */
export type Unary =
  | Plain<
      | "Identity"
      | "Relu"
      | "Sigmoid"
      | "HardSwish"
      | "Tanh"
      | "Erf"
      | "Sqrt"
      | "Exp"
      | "Log"
      | "Neg"
    >
  | Plain<"Abs" | "Reciprocal" | "Softplus" | "Sign" | "Floor" | "Ceil" | "Round">
  | (Common & { readonly op: "Elu"; readonly alpha: number })
  | (Common & { readonly op: "Selu"; readonly alpha: number; readonly gamma: number })
  /** "none": by erf; "tanh": the approximation by tanh. */
  | (Common & { readonly op: "Gelu"; readonly approximate: "none" | "tanh" })
  | (Common & { readonly op: "LeakyRelu"; readonly alpha: number })
  | (Common & { readonly op: "HardSigmoid"; readonly alpha: number; readonly beta: number })
  | (Common & { readonly op: "Clip"; readonly low: number; readonly high: number })
  /** The stored elements in another type: a quantized input gives its integers, and a quantized output says
   *  what bytes stand for. */
  | (Common & { readonly op: "Cast"; readonly to: DType });

/** Element-wise with two inputs, numpy broadcasting. */
export interface Binary extends Common, Clamp, Rounded {
  readonly op: "Add" | "Sub" | "Mul" | "Div" | "Pow" | "Min" | "Max";
}

/** Element-wise with two inputs of one dtype, numpy broadcasting; bool out. NaN equals nothing. */
export interface Comparison extends Common {
  readonly op: "Equal" | "Less" | "LessOrEqual" | "Greater" | "GreaterOrEqual";
}

/** Element-wise on bools, numpy broadcasting. */
export interface Logic extends Common {
  readonly op: "And" | "Or" | "Xor";
}

/** inputs: x, bool. */
export interface Not extends Common {
  readonly op: "Not";
}

/** condition ? x : y with numpy broadcasting of all three. inputs: condition (bool), x, y of one dtype. */
export interface Where extends Common {
  readonly op: "Where";
}

/** numpy take. inputs: data, indices (int32 or int64, negative ones count from the end). An index out of
 *  range is an InputError of the run. */
export interface Gather extends Common {
  readonly op: "Gather";
  readonly axis: number;
}

export interface AveragePool extends Common, Window {
  readonly op: "AveragePool";
  readonly countIncludePad: boolean;
  readonly ceilMode: boolean;
}

export interface MaxPool extends Common, Window {
  readonly op: "MaxPool";
  readonly ceilMode: boolean;
}

/** Mean over every axis after the second, kept as size 1. */
export interface GlobalAveragePool extends Common, Rounded {
  readonly op: "GlobalAveragePool";
}

/** A node of each op in O over axes: non-negative, sorted. */
type Reducing<O extends string> = O extends string
  ? Plain<O> & { readonly axes: readonly number[]; readonly keepdims: boolean }
  : never;

/** Many elements to one, over axes; functions.ts has what each computes. ReduceMean runs in integers too. */
export type Reduce = Reducing<
  | "ReduceMean"
  | "ReduceSum"
  | "ReduceMax"
  | "ReduceMin"
  | "ReduceProd"
  | "ReduceL1"
  | "ReduceL2"
  | "ReduceSumSquare"
>;

/** int64 places of the greatest or least elements along an axis, which must not be empty. Of equal ones the
 *  first counts, or the last; NaN is beyond every number, as in numpy and PyTorch. */
interface Arg<O extends string> extends Common {
  readonly op: O;
  readonly axis: number;
  readonly keepdims: boolean;
  readonly selectLastIndex: boolean;
}

export type ArgReduce = Arg<"ArgMax"> | Arg<"ArgMin">;

export interface Softmax extends Common {
  readonly op: "Softmax";
  readonly axis: number;
}

/** inputs: x, W (D, 4·H, I), R (D, 4·H, H), then what `roles` says, gates i, o, f, c: bias (D, 8·H), the
 *  input's half first; sequenceLens (B), integers; initialH and initialC; peepholes (D, 3·H), i, o, f.
 *  outputs: Y, Y_h, Y_c, all named. Shapes by `layout`: recurrent.ts. */
export interface LSTM extends Common, RecurrentAttributes {
  readonly op: "LSTM";
  /** The forget gate is 1 − the input gate. */
  readonly inputForget: boolean;
}

/** inputs: x, W (D, 3·H, I), R (D, 3·H, H), then what `roles` says, gates z, r, h: bias (D, 6·H),
 *  sequenceLens, initialH. outputs: Y, Y_h, both named. */
export interface GRU extends Common, RecurrentAttributes {
  readonly op: "GRU";
  /** The reset gate scales R·h + its bias, as in PyTorch; else h before the product. */
  readonly linearBeforeReset: boolean;
}

export interface LogSoftmax extends Common {
  readonly op: "LogSoftmax";
  readonly axis: number;
}

/** softmax(scale · q kᵀ + mask) · v, head by head: Vaswani et al., arXiv 1706.03762, section 3.2. inputs:
 *  q (B, T, heads · d), k (B, S, heads · d), v (B, S, heads · dv), and a mask that is added, broadcastable to
 *  (B, heads, T, S)?. Output (B, T, heads · dv). Recognised in graphs that are about to run
 *  (graph/recognize/attention.ts); no file has it. */
export interface Attention extends Common {
  readonly op: "Attention";
  readonly heads: number;
  readonly scale: number;
}

/** Moves elements, computes nothing: the output has the input's quantization. */
export type Movement =
  | (Common & { readonly op: "Flatten"; readonly axis: number })
  /** One −1 at most (inferred); 0 copies the input's size at that place; a string names a size. */
  | (Common & { readonly op: "Reshape"; readonly shape: readonly Dim[] })
  /** numpy broadcasting of the input with `shape`: 1 keeps the input's size; a string names a size. */
  | (Common & { readonly op: "Expand"; readonly shape: readonly Dim[] })
  | (Common & { readonly op: "Transpose"; readonly perm: readonly number[] })
  | (Common & { readonly op: "Squeeze"; readonly axes: readonly number[] })
  | (Common & { readonly op: "Unsqueeze"; readonly axes: readonly number[] })
  | (Common & { readonly op: "Concat"; readonly axis: number })
  /** pads: begins of all axes, then ends; constant `value` in real units. Without pads below 0 it may also
   *  mirror the input without its edge (fewer than its size), or repeat the edge. */
  | (Common & {
      readonly op: "Pad";
      readonly pads: readonly number[];
      readonly value: number;
      readonly mode?: "reflect" | "edge";
    })
  /** Per listed axis, as ONNX: ends may exceed the size, steps may be negative. */
  | (Common & {
      readonly op: "Slice";
      readonly axes: readonly number[];
      /** A bound that names a size lies within the axis. */
      readonly starts: readonly Dim[];
      readonly ends: readonly Dim[];
      readonly steps: readonly number[];
    })
  | (Common & { readonly op: "Split"; readonly axis: number; readonly sizes: readonly number[] });

/** Float → quantized: the output value's `quant` says how. numerics (2). */
export interface Quantize extends Common {
  readonly op: "Quantize";
}

/** Quantized → float. numerics (6). */
export interface Dequantize extends Common {
  readonly op: "Dequantize";
}

/** Float → bytes with parameters from the data: docs/quantization.md (38), (14). outputs: q, scale and
 *  zeroPoint, both of shape [], or per token of x's shape with 1 in place of the last size. They are values
 *  like any other: q and zeroPoint are plain bytes. */
export interface DynamicQuantizeLinear extends Common, DynamicRule {
  readonly op: "DynamicQuantizeLinear";
}

/** acc = Σ (x − zx)(w − zw) in int32, exact modulo 2³²: docs/quantization.md (24). inputs: x, w, zx, zw, plain
 *  int8 or uint8; zx one element, maybe computed at run time; w and zw constants, zw one element or one per
 *  output channel. Padding is real 0: it reads zx. */
export interface ConvInteger extends Common, Window {
  readonly op: "ConvInteger";
  readonly group: number;
}

/** The same for numpy matmul: x (…, M, K), w (K, N). */
export interface MatMulInteger extends Common {
  readonly op: "MatMulInteger";
}

/** y = clamp(fl(fl(f32(Σ (q − zq) w) · fl(sq · sw)) + b), low, high): docs/quantization.md (39); devices may fuse
 *  the last two roundings, (40). inputs: q (…, K) plain bytes, w (K, N) a constant with `quant`, scale and
 *  zeroPoint of q as DynamicQuantizeLinear gives them, bias (N)?. numpy matmul's shapes. w − zw must be int8. */
export interface MatMulIntegerToFloat extends Common, Clamp {
  readonly op: "MatMulIntegerToFloat";
}

/** The gradient through a clamp: dY where low < y < high, strictly, else 0, as PyTorch's relu and hardtanh.
 *  inputs: y (what the clamp gave), dY of one shape. */
export interface ClampGrad extends Common, Clamp {
  readonly op: "ClampGrad";
}

/** Records statistics of its input; has no output. */
export interface Observe extends Common {
  readonly op: "Observe";
  readonly observer: ObserverSpec;
}

/** Accumulates Σ x² and Σ (x − y)² of its inputs x (reference) and y; has no output. */
export interface Compare extends Common {
  readonly op: "Compare";
}

export type Node =
  | Conv
  | Gemm
  | MatMul
  | BatchNormalization
  | LayerNormalization
  | Unary
  | GradientNode
  | Binary
  | Comparison
  | Logic
  | Not
  | Where
  | Gather
  | AveragePool
  | MaxPool
  | GlobalAveragePool
  | Reduce
  | ArgReduce
  | Softmax
  | LSTM
  | GRU
  | LogSoftmax
  | Attention
  | Movement
  | Quantize
  | Dequantize
  | DynamicQuantizeLinear
  | ConvInteger
  | MatMulInteger
  | MatMulIntegerToFloat
  | FakeQuantizeNode
  | LearningNode
  | ConvGradNode
  | ClampGrad
  | OptimizerNode
  | Observe
  | Compare;

export type Op = Node["op"];

/** The node of one op: NodeOf<"Conv">. */
export type NodeOf<O extends Op> = Extract<Node, { readonly op: O }>;
