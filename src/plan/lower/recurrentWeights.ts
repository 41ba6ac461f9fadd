// The constants of a recurrent node as its kernels read them, and the product of W by all of x.

import { exactAccumulator } from "../../graph/arithmetic.ts";
import type { DynamicRule } from "../../graph/dynamic.ts";
import type { NodeOf } from "../../graph/node.ts";
import {
  directionsOf,
  gatesOf,
  ofRow,
  roleIndex,
  timeAndBatch,
  type RecurrentRole,
} from "../../graph/recurrent.ts";
import { toNumbers } from "../../tensor/tensor.ts";
import type { Ref } from "../builder.ts";
import { emitRows } from "./rows.ts";
import type { Lowering, Placed } from "./context.ts";
import { emitDynamicQuantize } from "./dynamic.ts";
import { emitIntegerToFloat, type IntegerRows } from "./integerToFloat.ts";
import { computedBias, computedWeights, inputSource } from "./recurrentComputed.ts";

type Recurrent = NodeOf<"LSTM" | "GRU">;

/** Sizes, and the constants as plain numbers in ONNX's order. */
export interface Cell {
  readonly node: Recurrent;
  readonly time: number;
  readonly batch: number;
  readonly directions: 1 | 2;
  readonly gates: 4 | 3;
  readonly units: number;
  /** Of H units. */
  readonly words: number;
  readonly bias: ArrayLike<number> | undefined;
  /** The biases where a run computes them. */
  readonly computedBias: Placed | undefined;
  readonly peepholes: ArrayLike<number> | undefined;
}

function constantOf(lowering: Lowering, node: Recurrent, index: number): ArrayLike<number> {
  const name = lowering.inputName(node, index);
  const constant = lowering.constant(name);
  if (!constant) throw lowering.unsupported(node, `"${name}" must be a constant`);
  return toNumbers(constant);
}

const isConstant = (lowering: Lowering, node: Recurrent, index: number) =>
  lowering.constant(lowering.inputName(node, index)) !== undefined;

export function cellOf(lowering: Lowering, node: Recurrent, x: Placed): Cell {
  const [time, batch] = timeAndBatch(node, x.layout.logical).map(Number) as [number, number];
  const optional = (role: RecurrentRole) => {
    const index = roleIndex(node, role);
    return index === undefined ? undefined : constantOf(lowering, node, index);
  };
  const units = node.hiddenSize;
  const biasAt = roleIndex(node, "bias");
  const isComputed = biasAt !== undefined && !node.dynamic && !isConstant(lowering, node, biasAt);
  return {
    node,
    time,
    batch,
    directions: directionsOf(node),
    gates: gatesOf(node),
    units,
    words: Math.ceil(units / 4),
    bias: isComputed ? undefined : optional("bias"),
    computedBias: isComputed ? lowering.input(node, biasAt) : undefined,
    peepholes: optional("peepholes"),
  };
}

/** Whether the recurrent bias of gate `gate` stays with R · h instead of joining W · x: all of them do where
 *  these are products of bytes, since PyTorch adds it there. */
function keepsBias({ node }: Cell, gate: number): boolean {
  return node.dynamic !== undefined || (node.op === "GRU" && node.linearBeforeReset && gate === 2);
}

/** Column of unit `unit` of a gate in W · x: units are padded to whole words. */
function columnsOf({ directions, gates, units, words }: Cell) {
  const columns: { row: number; column: number; d: number; gate: number; unit: number }[] = [];
  for (let d = 0; d < directions; d++) {
    for (let gate = 0; gate < gates; gate++) {
      for (let unit = 0; unit < units; unit++) {
        const row = (d * gates + gate) * units + unit;
        columns.push({ row, column: (d * gates + gate) * words * 4 + unit, d, gate, unit });
      }
    }
  }
  return columns;
}

/** W · x + biases for all rows of x: (rows, D, G, words). */
export function project(lowering: Lowering, cell: Cell, x: Placed): Placed {
  const { node, directions, gates, units, words, time, batch } = cell;
  if (node.dynamic) return projectBytes(lowering, cell, x, node.dynamic);
  const perGroup = x.layout.last;
  const outs = directions * gates * words * 4;
  const data = () => {
    const W = constantOf(lowering, node, 1);
    const filter = new Float64Array(outs * perGroup);
    for (const { row, column } of columnsOf(cell)) {
      for (let k = 0; k < perGroup; k++) {
        filter[column * perGroup + k] = W[row * perGroup + k] ?? 0;
      }
    }
    return filter;
  };
  const bias = () => {
    const sums = new Float32Array(outs);
    for (const { column, d, gate, unit } of columnsOf(cell)) {
      const at = d * 2 * gates * units + gate * units + unit;
      const recurrent = keepsBias(cell, gate) ? 0 : (cell.bias?.[at + gates * units] ?? 0);
      sums[column] = (cell.bias?.[at] ?? 0) + recurrent;
    }
    return sums;
  };
  const out = lowering.scratch([time * batch, outs]);
  emitRows(lowering, node, x, out, {
    outs,
    perGroup,
    matrix: isConstant(lowering, node, 1) ? data : inputSource(cell, lowering.input(node, 1)),
    bias: cell.computedBias ? computedBias(lowering, cell, cell.computedBias) : bias,
    filterScale: undefined,
  });
  return out;
}

export interface Packed {
  readonly weights: Ref;
  /** Place of what follows the weights, in their own units. */
  readonly extras: number;
  /** Whether |acc| of a product of bytes may pass 2²⁴: docs/quantization.md (33). */
  readonly isWide?: boolean;
}

/** R as matrices of four inputs by four outputs, (D, words in, G, words out), column = input lane; then,
 *  (D, words), what is no weight: peepholes i, o, f of an LSTM, the bias that a GRU keeps. */
export function packWeights(lowering: Lowering, cell: Cell): Packed {
  const { node, directions, gates, units, words, bias, peepholes } = cell;
  const extras = directions * words * gates * words;
  if (node.dynamic) return packBytes(lowering, cell);
  const keeps = node.op === "GRU" && cell.computedBias !== undefined;
  if (keeps || !isConstant(lowering, node, 2)) {
    if (peepholes) throw lowering.unsupported(node, "peepholes beside an R that the run computes");
    const index = roleIndex(node, "bias");
    const own = index === undefined ? undefined : lowering.input(node, index);
    return { weights: computedWeights(lowering, cell, own, extras), extras };
  }
  return { weights: lowering.packed(node, "recurrent weights", () => pack(extras)), extras };

  function pack(first: number): Float32Array {
    const R = constantOf(lowering, node, 2);
    const packed = new Float32Array((first + directions * words) * 16);
    for (const { row, d, gate, unit } of columnsOf(cell)) {
      for (let k = 0; k < units; k++) {
        const matrix = ((d * words + (k >> 2)) * gates + gate) * words + (unit >> 2);
        packed[matrix * 16 + (k & 3) * 4 + (unit & 3)] = R[row * units + k] ?? 0;
      }
      const column = (first + d * words + (unit >> 2)) * 16 + (unit & 3);
      if (keepsBias(cell, gate)) {
        packed[column] = bias?.[(d * 2 + 1) * gates * units + gate * units + unit] ?? 0;
      }
      if (peepholes && gate < 3) {
        packed[column + gate * 4] = peepholes[(d * 3 + gate) * units + unit] ?? 0;
      }
    }
    return packed;
  }
}

/** W or R of a dynamic node: w − zw, row by row, and the scale of each row. */
function integersOf(lowering: Lowering, { node, directions, gates, units }: Cell, index: 1 | 2) {
  const name = lowering.inputName(node, index);
  const [q, quant] = [constantOf(lowering, node, index), lowering.quant(name)];
  if (!quant) throw lowering.unsupported(node, `"${name}" must be a quantized constant`);
  const rows = gates * units;
  const length = q.length / (directions * rows);
  const each = (values: ArrayLike<number>, row: number) =>
    ofRow(values, quant, Math.floor(row / rows), row % rows);
  const data = Int16Array.from(
    q,
    (code, at) => code - each(quant.zeroPoint, Math.floor(at / length)),
  );
  if (data.some((w) => w < -128 || w > 127)) {
    throw lowering.unsupported(node, `"${name}" less its zero point must be int8`);
  }
  return { data, length, scaleOf: (row: number) => each(quant.scale, row) };
}

/** W · x + its own bias, of x as bytes: two dispatches and a product. */
function projectBytes(lowering: Lowering, cell: Cell, x: Placed, rule: DynamicRule): Placed {
  const { node, directions, gates, units, words, time, batch } = cell;
  const columns = directions * gates * words * 4;
  const isPerRow = rule.granularity === "perToken";
  const parameters = isPerRow ? [time * batch, 1] : [];
  const q = lowering.scratch([time * batch, x.layout.last], { dtype: rule.dtype });
  const scale = lowering.scratch(parameters);
  const zeroPoint = lowering.scratch(parameters, { dtype: rule.dtype });
  emitDynamicQuantize(lowering, node.name, rule, x, [q, scale, zeroPoint]);
  const out = lowering.scratch([time * batch, columns]);
  const weights = (): IntegerRows => {
    const { data, length, scaleOf } = integersOf(lowering, cell, 1);
    const padded = new Int16Array(columns * length);
    const scales = new Float32Array(columns).fill(1);
    for (const { row, column } of columnsOf(cell)) {
      padded.set(data.subarray(row * length, (row + 1) * length), column * length);
      scales[column] = scaleOf(row);
    }
    return { rows: length, columns, data: padded, scales };
  };
  const bias = () => {
    const values = new Float32Array(columns);
    for (const { column, d, gate, unit } of columnsOf(cell)) {
      values[column] = cell.bias?.[(d * 2 * gates + gate) * units + unit] ?? 0;
    }
    return values;
  };
  const operands = { x: q, scale, zeroPoint, isPerRow, out };
  emitIntegerToFloat(lowering, node, operands, weights, bias);
  return out;
}

/** R as words of four inputs for each of four outputs, (D, words in, G, words out, 4); then, (D, words), for each
 *  gate Σ w, scale and bias, and the peepholes i, o, f of an LSTM: four lanes each. */
function packBytes(lowering: Lowering, cell: Cell): Packed {
  const { node, directions, gates, units, words, bias, peepholes } = cell;
  const extras = directions * words * gates * words;
  const perWord = gates * 3 + (node.op === "LSTM" ? 3 : 0);
  const pack = () => {
    const { data, scaleOf } = integersOf(lowering, cell, 2);
    const packed = new Int32Array((extras + directions * words * perWord) * 4);
    const [bytes, floats] = [new Int8Array(packed.buffer), new Float32Array(packed.buffer)];
    for (const { row, d, gate, unit } of columnsOf(cell)) {
      let sum = 0;
      for (let k = 0; k < units; k++) {
        const at = ((d * words + (k >> 2)) * gates + gate) * words + (unit >> 2);
        const w = data[row * units + k] ?? 0;
        bytes[at * 16 + (unit & 3) * 4 + (k & 3)] = w;
        sum += w;
      }
      const first = (extras + (d * words + (unit >> 2)) * perWord) * 4 + (unit & 3);
      packed[first + gate * 12] = sum;
      floats[first + gate * 12 + 4] = scaleOf(row);
      floats[first + gate * 12 + 8] = bias?.[((d * 2 + 1) * gates + gate) * units + unit] ?? 0;
      if (peepholes && gate < 3) {
        floats[first + gates * 12 + gate * 4] = peepholes[(d * 3 + gate) * units + unit] ?? 0;
      }
    }
    return packed;
  };
  const weights = lowering.packed(node, "recurrent weights", pack);
  return { weights, extras, isWide: 255 * 128 * units > exactAccumulator };
}
