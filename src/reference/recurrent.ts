// LSTM and GRU as ONNX defines them, step by step and element by element. Sums run in f64; the state is
// rounded to f32 after each step, as it is stored.

import { quantizeDividing, quantizeValue } from "../graph/arithmetic.ts";
import { chooseDynamic, dynamicBounds, type DynamicRule } from "../graph/dynamic.ts";
import type { NodeOf } from "../graph/node.ts";
import type { QParams } from "../graph/value.ts";
import {
  activationsOf,
  directionsOf,
  gatesOf,
  isReverse,
  ofRow,
  recurrentShapes,
  roleIndex,
  timeAndBatch,
  type RecurrentActivation,
  type RecurrentRole,
} from "../graph/recurrent.ts";
import { fl } from "../tensor/rounding.ts";
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

/** Sums of a matrix's rows by a vector: in reals, or of bytes that a rule makes of the vectors. */
interface Rows {
  readonly length: number;
  /** Everything that is quantized together, before any product with it. */
  observe(vectors: readonly Numbers[]): void;
  /** Row `row` of direction `d` by a vector. */
  product(d: number, row: number, vector: Numbers): number;
}

function realRows({ data }: { data: Numbers }, rows: number, length: number): Rows {
  return {
    length,
    observe: () => {},
    product: (d, row, vector) => {
      let sum = 0;
      for (let k = 0; k < length; k++) {
        sum += (data[(d * rows + row) * length + k] ?? NaN) * (vector[k] ?? NaN);
      }
      return sum;
    },
  };
}

/** docs/quantization.md (14) or (38), then (39). */
function byteRows(
  matrix: Numbers,
  quant: QParams,
  rule: DynamicRule,
  rows: number,
  length: number,
): Rows {
  let [scale, zeroPoint] = [1, 0];
  const [qmin, qmax] = dynamicBounds(rule);
  const quantize = rule.rule === "torch" ? quantizeValue : quantizeDividing;
  const known = new Map<Numbers, number[]>();
  return {
    length,
    observe: (vectors) => {
      known.clear();
      let [low, high] = [0, 0];
      for (const vector of vectors) {
        for (let k = 0; k < vector.length; k++) {
          [low, high] = [Math.min(low, vector[k] ?? NaN), Math.max(high, vector[k] ?? NaN)];
        }
      }
      ({ scale, zeroPoint } = chooseDynamic(rule, low, high));
    },
    product: (d, row, vector) => {
      let codes = known.get(vector);
      if (codes === undefined) {
        codes = Array.from(vector, (x) => quantize(x, scale, zeroPoint, qmin, qmax) - zeroPoint);
        known.set(vector, codes);
      }
      const zero = ofRow(quant.zeroPoint, quant, d, row);
      let sum = 0;
      for (let k = 0; k < length; k++) {
        sum += ((matrix[(d * rows + row) * length + k] ?? NaN) - zero) * (codes[k] ?? NaN);
      }
      return fl(fl(sum) * fl(scale * ofRow(quant.scale, quant, d, row)));
    },
  };
}

/** Y, Y_h and, for an LSTM, Y_c. Steps at and past an element's length leave its state and give Y = 0. W and R
 *  of a dynamic node are quantized: `quants`, by input. */
export function recurrent(
  node: Recurrent,
  inputs: readonly Tensor[],
  quants: readonly (QParams | undefined)[] = [],
): Tensor<"float32">[] {
  const x = floatInput(node, inputs, 0);
  const of = (role: RecurrentRole): Numbers | undefined => {
    const at = roleIndex(node, role);
    return at === undefined ? undefined : toNumbers(inputAt(node, inputs, at));
  };
  const [time, batch] = timeAndBatch(node, x.shape).map(Number) as [number, number];
  const [count, size, width] = [directionsOf(node), node.hiddenSize, x.shape[2] ?? 0];
  const rows = gatesOf(node) * size;
  const rowsOf = (index: 1 | 2, length: number): Rows => {
    const data = toNumbers(inputAt(node, inputs, index));
    const quant = quants[index];
    if (node.dynamic && quant) return byteRows(data, quant, node.dynamic, rows, length);
    return realRows({ data }, rows, length);
  };
  const [W, R] = [rowsOf(1, width), rowsOf(2, size)];
  const [bias, lens, peepholes] = [of("bias"), of("sequenceLens"), of("peepholes")];
  const outs = recurrentShapes(node, x.shape).map((shape) => {
    const sizes = shape.map(Number);
    return { shape: sizes, data: new Float32Array(sizeOf(sizes)) };
  });
  const [y, hOut, cOut] = outs.map(({ data }) => data);
  const isBatchFirst = node.layout === 1;
  const isPerToken = node.dynamic?.granularity === "perToken";
  const [initialH, initialC] = [of("initialH"), of("initialC")];
  const vectorOf = (row: number) => x.data.subarray(row * width, (row + 1) * width);
  const projected = Array.from({ length: time * batch }, (_, row) => row).map(vectorOf);
  if (!isPerToken) W.observe(projected);
  const input = projected.map((vector) => {
    if (isPerToken) W.observe([vector]);
    return Array.from({ length: count }, (_, d) =>
      Float64Array.from(
        { length: rows },
        (__, at) => W.product(d, at, vector) + (bias?.[d * 2 * rows + at] ?? 0),
      ),
    );
  });
  for (let d = 0; d < count; d++) {
    const places = Array.from({ length: batch }, (_, b) =>
      isBatchFirst ? (b * count + d) * size : (d * batch + b) * size,
    );
    const initial = (from: Numbers | undefined) =>
      places.map((first) =>
        Float32Array.from({ length: size }, (_, unit) => from?.[first + unit] ?? 0),
      );
    const [h, c] = [initial(initialH), initial(initialC)];
    for (let walked = 0; walked < time; walked++) {
      if (!isPerToken) R.observe(h);
      for (let b = 0; b < batch; b++) {
        const [hOfB, cOfB] = [h[b], c[b]];
        const length = lens?.[b] ?? time;
        if (walked >= length || !hOfB || !cOfB) continue;
        if (isPerToken) R.observe([hOfB]);
        const t = isReverse(node, d) ? length - 1 - walked : walked;
        const step: Step = {
          node,
          activations: activationsOf(node, d),
          input: input[isBatchFirst ? b * time + t : t * batch + b]?.[d] ?? [],
          bias: Array.from({ length: rows }, (_, at) => bias?.[(d * 2 + 1) * rows + at] ?? 0),
          product: (row, by) => R.product(d, row, by),
          peepholes: peepholes && Array.from(peepholes).slice(d * 3 * size, (d + 1) * 3 * size),
          h: hOfB,
          c: cOfB,
        };
        if (node.op === "LSTM") lstmStep(step, node.inputForget);
        else gruStep(step, node.linearBeforeReset);
        const place = isBatchFirst ? (b * time + t) * count + d : (t * count + d) * batch + b;
        y?.set(hOfB, place * size);
      }
    }
    places.forEach((first, b) => {
      hOut?.set(h[b] ?? [], first);
      cOut?.set(c[b] ?? [], first);
    });
  }
  return outs.map(({ shape, data }) => float32(shape, data));
}
