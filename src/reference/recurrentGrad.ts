// LSTM and GRU, one direction walked back: docs/quantization.md (79), step by step and element by element.

import type { GRUGrad, LSTMGrad } from "../graph/learning.ts";
import { float32, toNumbers, type Tensor } from "../tensor/tensor.ts";
import { floatInput, inputAt } from "./operands.ts";

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

/** dSums and dFirst. Steps at and past an element's length have none. */
export function recurrentGrad(
  node: LSTMGrad | GRUGrad,
  inputs: readonly Tensor[],
): Tensor<"float32">[] {
  const [sums, R, before, dY, dLast] = [0, 1, 2, 3, 4].map((i) => floatInput(node, inputs, i).data);
  const { shape } = inputAt(node, inputs, 3);
  const [time = 0, batch = 0, units = 0] = shape;
  const lens = inputs.length > 5 ? toNumbers(inputAt(node, inputs, 5)) : undefined;
  const isLstm = node.op === "LSTMGrad";
  const states = isLstm ? 2 : 1;
  const dSums = new Float32Array(time * batch * 4 * units);
  const dFirst = new Float32Array(states * batch * units);
  // The parts of dSums that R multiplied, in the order of its rows.
  const recurrent = isLstm ? [0, 1, 2, 3] : [0, 1, 3];
  for (let b = 0; b < batch; b++) {
    const length = Math.min(time, Math.max(0, lens?.[b] ?? time));
    const timeOf = (step: number) => (node.reverse ? length - 1 - step : step);
    const at = (t: number, unit: number) => (t * batch + b) * units + unit;
    const sum = (t: number, part: number, unit: number) =>
      sums?.[(t * batch + b) * 4 * units + part * units + unit] ?? NaN;
    const stateOf = (state: number) =>
      Float64Array.from(
        { length: units },
        (_, unit) => dLast?.[(state * batch + b) * units + unit] ?? NaN,
      );
    const dH = stateOf(0);
    const dC = isLstm ? stateOf(1) : new Float64Array(0);

    // c before each step.
    const cells = new Float64Array(length * units);
    for (let unit = 0; unit < (isLstm ? units : 0); unit++) {
      let c = before?.[b * units + unit] ?? NaN;
      for (let step = 0; step < length; step++) {
        const t = timeOf(step);
        cells[t * units + unit] = c;
        c = sigmoid(sum(t, 2, unit)) * c + sigmoid(sum(t, 0, unit)) * Math.tanh(sum(t, 3, unit));
      }
    }

    for (let step = length - 1; step >= 0; step--) {
      const t = timeOf(step);
      const first = (t * batch + b) * 4 * units;
      const kept = new Float64Array(units); // what of dH goes past R
      for (let unit = 0; unit < units; unit++) {
        const dh = (dH[unit] ?? NaN) + (dY?.[at(t, unit)] ?? NaN);
        let parts: readonly number[];
        if (isLstm) {
          const [i, o, f] = [0, 1, 2].map((part) => sigmoid(sum(t, part, unit))) as number[];
          const [enter = NaN, leave = NaN, forget = NaN] = [i, o, f];
          const g = Math.tanh(sum(t, 3, unit));
          const c = cells[t * units + unit] ?? NaN;
          const squashed = Math.tanh(forget * c + enter * g);
          const dc = (dC[unit] ?? NaN) + dh * leave * (1 - squashed ** 2);
          dC[unit] = dc * forget;
          parts = [
            dc * g * enter * (1 - enter),
            dh * squashed * leave * (1 - leave),
            dc * c * forget * (1 - forget),
            dc * enter * (1 - g ** 2),
          ];
        } else {
          const [z, r] = [sigmoid(sum(t, 0, unit)), sigmoid(sum(t, 1, unit))];
          const scaled = sum(t, 3, unit);
          const n = Math.tanh(sum(t, 2, unit) + r * scaled);
          const h = before?.[at(t, unit)] ?? NaN;
          const dn = dh * (1 - z) * (1 - n ** 2);
          kept[unit] = dh * z;
          parts = [dh * (h - n) * z * (1 - z), dn * scaled * r * (1 - r), dn, dn * r];
        }
        parts.forEach((part, index) => (dSums[first + index * units + unit] = part));
      }
      for (let k = 0; k < units; k++) {
        let total = kept[k] ?? 0;
        recurrent.forEach((part, gate) => {
          for (let unit = 0; unit < units; unit++) {
            const d = dSums[first + part * units + unit] ?? NaN;
            total += d * (R?.[(gate * units + unit) * units + k] ?? NaN);
          }
        });
        dH[k] = total;
      }
    }
    dFirst.set(dH, b * units);
    if (isLstm) dFirst.set(dC, (batch + b) * units);
  }
  const [, , width = 0] = inputAt(node, inputs, 0).shape;
  return [float32([time, batch, width], dSums), float32([states, batch, units], dFirst)];
}
