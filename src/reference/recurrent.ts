// LSTM and GRU as ONNX defines them, step by step and element by element. Sums run in f64; the state is
// rounded to f32 after each step, as it is stored.

import type { NodeOf } from "../graph/node.ts";
import {
  activationsOf,
  directionsOf,
  isReverse,
  recurrentShapes,
  roleIndex,
  timeAndBatch,
  type RecurrentActivation,
  type RecurrentRole,
} from "../graph/recurrent.ts";
import { float32, sizeOf, toNumbers, type Tensor } from "../tensor/tensor.ts";
import { floatInput, inputAt } from "./operands.ts";

type Recurrent = NodeOf<"LSTM" | "GRU">;
type Numbers = ArrayLike<number>;

/** f(x) of one activation function. https://onnx.ai/onnx/operators/onnx__LSTM.html */
export function activate({ function: name, alpha, beta }: RecurrentActivation, x: number): number {
  switch (name) {
    case "Relu":
      return Math.max(0, x);
    case "Tanh":
      return Math.tanh(x);
    case "Sigmoid":
      return 1 / (1 + Math.exp(-x));
    case "Affine":
      return alpha * x + beta;
    case "LeakyRelu":
      return x < 0 ? alpha * x : x;
    case "ThresholdedRelu":
      return x > alpha ? x : 0;
    case "ScaledTanh":
      return alpha * Math.tanh(beta * x);
    case "HardSigmoid":
      return Math.min(1, Math.max(0, alpha * x + beta));
    case "Elu":
      return x < 0 ? alpha * Math.expm1(x) : x;
    case "Softsign":
      return x / (1 + Math.abs(x));
    case "Softplus":
      return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
    default:
      return name satisfies never;
  }
}

/** What one step of one batch element needs, of one direction. */
interface Step {
  readonly node: Recurrent;
  readonly activations: readonly RecurrentActivation[];
  /** W·x + its bias, and the recurrent bias, per gate and unit. */
  readonly input: Numbers;
  readonly bias: Numbers;
  /** Row `row` of R by a state. */
  readonly product: (row: number, state: Numbers) => number;
  readonly peepholes: Numbers | undefined;
  readonly h: Float32Array;
  readonly c: Float32Array;
}

function clipped({ clip = Infinity }: Recurrent, x: number): number {
  return Math.min(clip, Math.max(-clip, x));
}

/** h and c after a step of an LSTM. */
function lstmStep(step: Step, inputForget: boolean): void {
  const { node, input, bias, product, peepholes, h, c } = step;
  const size = h.length;
  const [f, g, last] = step.activations as [
    RecurrentActivation,
    RecurrentActivation,
    RecurrentActivation,
  ];
  const next = h.map((_, unit) => {
    const gate = (index: number, peephole: number, cell: number, by: RecurrentActivation) => {
      const row = index * size + unit;
      const sum = (input[row] ?? NaN) + product(row, h) + (bias[row] ?? 0);
      const peek = peephole < 0 ? 0 : (peepholes?.[peephole * size + unit] ?? 0) * cell;
      return activate(by, clipped(node, sum + peek));
    };
    const before = c[unit] ?? NaN;
    const enter = gate(0, 0, before, f);
    const forget = inputForget ? 1 - enter : gate(2, 2, before, f);
    const cell = forget * before + enter * gate(3, -1, 0, g);
    c[unit] = cell;
    return gate(1, 1, cell, f) * activate(last, cell);
  });
  h.set(next);
}

/** h after a step of a GRU. */
function gruStep(step: Step, linearBeforeReset: boolean): void {
  const { node, input, bias, product, h } = step;
  const size = h.length;
  const [f, g] = step.activations as [RecurrentActivation, RecurrentActivation];
  const gate = (index: number) =>
    Float64Array.from(h, (_, unit) => {
      const row = index * size + unit;
      const sum = (input[row] ?? NaN) + product(row, h) + (bias[row] ?? 0);
      return activate(f, clipped(node, sum));
    });
  const [update, reset] = [gate(0), gate(1)];
  const scaled = Float64Array.from(h, (value, unit) => (reset[unit] ?? NaN) * value);
  const next = h.map((before, unit) => {
    const row = 2 * size + unit;
    const recurrent = linearBeforeReset
      ? (reset[unit] ?? NaN) * (product(row, h) + (bias[row] ?? 0))
      : product(row, scaled) + (bias[row] ?? 0);
    const z = update[unit] ?? NaN;
    const candidate = activate(g, clipped(node, (input[row] ?? NaN) + recurrent));
    return (1 - z) * candidate + z * before;
  });
  h.set(next);
}

/** Y, Y_h and, for an LSTM, Y_c. Steps at and past an element's length leave its state and give Y = 0. */
export function recurrent(node: Recurrent, inputs: readonly Tensor[]): Tensor<"float32">[] {
  const x = floatInput(node, inputs, 0);
  const [W, R] = [floatInput(node, inputs, 1).data, floatInput(node, inputs, 2).data];
  const of = (role: RecurrentRole): Numbers | undefined => {
    const at = roleIndex(node, role);
    return at === undefined ? undefined : toNumbers(inputAt(node, inputs, at));
  };
  const [time, batch] = timeAndBatch(node, x.shape).map(Number) as [number, number];
  const [count, size, width] = [directionsOf(node), node.hiddenSize, x.shape[2] ?? 0];
  const rows = W.length / count / Math.max(1, width) || R.length / count / size;
  const [bias, lens, peepholes] = [of("bias"), of("sequenceLens"), of("peepholes")];
  const outs = recurrentShapes(node, x.shape).map((shape) => {
    const sizes = shape.map(Number);
    return { shape: sizes, data: new Float32Array(sizeOf(sizes)) };
  });
  const [y, hOut, cOut] = outs.map(({ data }) => data);
  const isBatchFirst = node.layout === 1;
  const [initialH, initialC] = [of("initialH"), of("initialC")];
  for (let d = 0; d < count; d++) {
    for (let b = 0; b < batch; b++) {
      const state = (isBatchFirst ? b * count + d : d * batch + b) * size;
      const initial = (from: Numbers | undefined) =>
        Float32Array.from({ length: size }, (_, unit) => from?.[state + unit] ?? 0);
      const [h, c] = [initial(initialH), initial(initialC)];
      const length = lens?.[b] ?? time;
      for (let walked = 0; walked < length; walked++) {
        const t = isReverse(node, d) ? length - 1 - walked : walked;
        const row = (isBatchFirst ? b * time + t : t * batch + b) * width;
        const input = Float64Array.from({ length: rows }, (_, at) => {
          let sum = bias?.[d * 2 * rows + at] ?? 0;
          for (let k = 0; k < width; k++) {
            sum += (x.data[row + k] ?? NaN) * (W[(d * rows + at) * width + k] ?? NaN);
          }
          return sum;
        });
        const step: Step = {
          node,
          activations: activationsOf(node, d),
          input,
          bias: Array.from({ length: rows }, (_, at) => bias?.[(d * 2 + 1) * rows + at] ?? 0),
          product: (at, by) => {
            let sum = 0;
            for (let k = 0; k < size; k++) {
              sum += (R[(d * rows + at) * size + k] ?? NaN) * (by[k] ?? NaN);
            }
            return sum;
          },
          peepholes: peepholes && Array.from(peepholes).slice(d * 3 * size, (d + 1) * 3 * size),
          h,
          c,
        };
        if (node.op === "LSTM") lstmStep(step, node.inputForget);
        else gruStep(step, node.linearBeforeReset);
        const place = isBatchFirst ? (b * time + t) * count + d : (t * count + d) * batch + b;
        y?.set(h, place * size);
      }
      hOut?.set(h, state);
      cOut?.set(c, state);
    }
  }
  return outs.map(({ shape, data }) => float32(shape, data));
}
