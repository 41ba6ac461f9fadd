// Random numbers for the sample pictures: sfc32 (Chris Doty-Humphrey, PractRand), one stream per key.
// One idea: 32-bit adds, xors and shifts only, so that every JavaScript engine draws the same numbers.
// Each step of sfc32 is a bijection of its 128-bit state, so two different keys never share a state
// at the same step.

const WARM_UP = 12; // steps after seeding, as PractRand does for sfc32

export interface Random {
  /** The next number in [0, 1), a multiple of 2^-32. */
  next(): number;
  /** A number in [low, high). */
  between(low: number, high: number): number;
  /** An integer in [0, count). */
  below(count: number): number;
}

/** The stream of (key, seed); both are taken as u32. */
export function random(key: number, seed: number): Random {
  let a = key | 0;
  let b = seed | 0;
  let c = 0x9e3779b9 | 0;
  let counter = 1;
  const step = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return sum >>> 0;
  };
  for (let i = 0; i < WARM_UP; i++) step();
  const next = (): number => step() / 4294967296;
  return {
    next,
    between: (low, high) => low + (high - low) * next(),
    below: (count) => Math.floor(next() * count),
  };
}
