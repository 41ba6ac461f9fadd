// Numbers for weights and inputs. One seed repeats a run; the runner prints it.

import { float32, sizeOf, type Tensor } from "../../src/tensor/tensor.ts";

/** Uniform in [0, 1). */
export type Random = () => number;

/** Mulberry32. */
export function random(seed: number): Random {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Normally distributed floats of mean 0 and `deviation` (Box and Muller). */
export function normal(shape: readonly number[], next: Random, deviation = 1): Tensor<"float32"> {
  const data = new Float32Array(sizeOf(shape));
  for (let index = 0; index < data.length; index += 2) {
    const radius = deviation * Math.sqrt(-2 * Math.log(1 - next()));
    const angle = 2 * Math.PI * next();
    data[index] = radius * Math.cos(angle);
    if (index + 1 < data.length) data[index + 1] = radius * Math.sin(angle);
  }
  return float32(shape, data);
}
