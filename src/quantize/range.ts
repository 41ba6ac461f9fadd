// The histogram's range: outliers cost steps that the rest could use, so both ends retreat while the
// squared error falls. docs/quantization.md, section 4, steps 3 to 5; a port of PyTorch's
// HistogramObserver._non_linear_param_search and _compute_quantization_error, f32 step by f32 step.

import { clamp, fl } from "../tensor/rounding.ts";
import { sumF32 } from "./sum.ts";

/** Share of the total by which a bound moves at a time. */
const stepSize = 1e-5;
/** Codes of an 8-bit type; also where the range of q is reduced. */
const codes = 256;

/** [min, max] to quantize, f32, of `counts` (bins) over [min, max]. (16) */
export function searchRange(
  counts: Float32Array,
  min: number,
  max: number,
): readonly [number, number] {
  const bins = counts.length;
  const total = sumF32(counts);
  const running = runningSum(counts);
  let alpha = 0;
  let beta = 1;
  let start = 0;
  let end = bins - 1;
  let best = Infinity;
  while (alpha < beta) {
    const nextAlpha = alpha + stepSize;
    const nextBeta = beta - stepSize;
    let left = start;
    let right = end;
    while (left < end && (running[left] ?? 0) < fl(nextAlpha * total)) left++;
    while (right > start && (running[right] ?? 0) > fl(nextBeta * total)) right--;

    let nextStart = start;
    let nextEnd = end;
    if (left - start > end - right) {
      nextStart = left;
      alpha = nextAlpha;
    } else {
      nextEnd = right;
      beta = nextBeta;
    }
    if (nextStart === start && nextEnd === end) continue;

    const error = quantizationError(counts, max - min, nextStart, nextEnd);
    if (error > best) break;
    best = error;
    start = nextStart;
    end = nextEnd;
  }
  const width = fl(fl(max - min) / bins);
  return [fl(min + fl(width * start)), fl(min + fl(width * (end + 1)))];
}

/** C[i] = Σ counts[0 … i], summed in f64 and kept in f32, as torch.cumsum does on a CPU. */
function runningSum(counts: Float32Array): Float32Array {
  let sum = 0;
  return counts.map((count) => (sum += count));
}

/** Squared error of quantizing to [start, end], values spread evenly inside each bin. (17)
 *
 *      E = Σᵢ ρ·cube(u − (k + ½)D, D/2) + (k′ − k − 1)·ρ·cube(−D/2, D/2)
 *           + ρ·cube(−D/2, u + W − (k′ + ½)D)                      cube(p, q) = (q³ − p³)/3
 *
 *  W is a bin's width, D a code's, [u, u + W] bin i from `start` on, k and k′ the codes its ends
 *  fall into, ρ = count / W. W and D are f64 until they meet an f32, as Python floats are. */
function quantizationError(counts: Float32Array, span: number, start: number, end: number): number {
  const width = span / counts.length;
  const codeWidth = (width * (end - start + 1)) / codes;
  if (codeWidth === 0) return 0;
  const w = fl(width);
  const d = fl(codeWidth);
  const half = fl(codeWidth / 2);
  const inside = cube(-half, half);
  const errors = counts.map((count, i) => {
    const density = fl(count / w);
    const from = fl((i - start) * w);
    const to = fl(from + w);
    const k = clamp(floorDivide(from, d), 0, codes - 1);
    const k2 = clamp(floorDivide(to, d), 0, codes - 1);
    const first = fl(density * cube(fl(from - fl((k + 0.5) * d)), half));
    const between = fl((k2 - k - 1) * fl(density * inside));
    const last = fl(density * cube(-half, fl(to - fl(fl(k2 * d) + half))));
    return fl(fl(first + between) + last);
  });
  return sumF32(errors);
}

/** (to³ − from³)/3, f32 at every step. */
function cube(from: number, to: number): number {
  return fl(fl(fl(fl(to * to) * to) - fl(fl(from * from) * from)) / 3);
}

/** ⌊a / b⌋ for f32 a and b > 0 by the exact remainder, as torch.div(rounding_mode="floor"). */
function floorDivide(a: number, b: number): number {
  const remainder = a % b;
  const quotient = fl(fl(a - remainder) / b) - (remainder < 0 ? 1 : 0);
  const floor = Math.floor(quotient);
  return quotient - floor > 0.5 ? floor + 1 : floor;
}
