// Where a tensor holds NaN or ±∞: the first such element, and how many. Integers have none.

import { floatOfHalf } from "./half.ts";
import type { Tensor } from "./tensor.ts";

/** What was found. `first` is an index into the data, `value` what lies there: NaN, ∞ or −∞. */
export interface NonFinite {
  readonly first: number;
  readonly value: number;
  readonly count: number;
}

/** Which non-finite values are looked for: all, or all but −∞, or NaN alone. */
export type Sought = "any" | "all but -Infinity" | "NaN";

const isSought: Readonly<Record<Sought, (value: number) => boolean>> = {
  any: (value) => !Number.isFinite(value),
  "all but -Infinity": (value) => Number.isNaN(value) || value === Infinity,
  NaN: Number.isNaN,
};

/** The non-finite values of `tensor` that are `sought`, or undefined where it has none. */
export function nonFiniteOf(
  tensor: Tensor | undefined,
  sought: Sought = "any",
): NonFinite | undefined {
  if (tensor === undefined || isFinite(tensor)) return undefined;
  const wrong = isSought[sought];
  const { data } = tensor;
  const isHalf = tensor.dtype === "float16";
  let [first, value, count] = [-1, 0, 0];
  for (let index = 0; index < data.length; index++) {
    const element = Number(data[index]);
    const real = isHalf ? floatOfHalf(element) : element;
    if (!wrong(real) || count++ > 0) continue;
    [first, value] = [index, real];
  }
  return count === 0 ? undefined : { first, value, count };
}

/** Whether every element is a finite number. Every input of a run and every weight of a file passes through. */
function isFinite({ dtype, data }: Tensor): boolean {
  if (data instanceof Float32Array) return Number.isFinite(sum(data));
  if (dtype === "float16") return !data.some((bits) => (Number(bits) & 0x7c00) === 0x7c00);
  return true;
}

/** The sum in f64. That of fewer than 2⁸⁹⁶ finite f32 cannot overflow, and NaN and ±∞ never leave a sum: it is
 *  finite where all elements are. Four sums, so that additions need not wait for each other. */
function sum(data: Float32Array): number {
  let [a, b, c, d] = [0, 0, 0, 0];
  const whole = data.length - (data.length % 4);
  for (let i = 0; i < whole; i += 4) {
    a += data[i] as number;
    b += data[i + 1] as number;
    c += data[i + 2] as number;
    d += data[i + 3] as number;
  }
  for (let i = whole; i < data.length; i++) a += data[i] as number;
  return a + b + c + d;
}
