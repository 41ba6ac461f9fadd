// The inputs of fixtures, from a seed: the same numbers as test/fixtures/seeded.py, bit for bit, so
// that a fixture stores results alone.

const fl = Math.fround;

/** xorshift32; `seed` is any integer but 0. */
export class Random {
  private state: number;

  constructor(seed: number) {
    this.state = seed >>> 0;
  }

  u32(): number {
    let x = this.state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.state = x >>> 0;
    return this.state;
  }

  /** An integer in low … high, both included (high − low < 65536). */
  integer(low: number, high: number): number {
    return low + ((this.u32() >>> 16) % (high - low + 1));
  }

  integers(length: number, low: number, high: number): Int32Array {
    return Int32Array.from({ length }, () => this.integer(low, high));
  }

  /** f32 in [−1, 1), a multiple of 2⁻²³. */
  uniform(): number {
    return ((this.u32() >>> 8) - 8388608) / 8388608;
  }

  /** f32 in [−4, 4), near a bell curve: the sum of four 22-bit integers. */
  bell(): number {
    let total = 0;
    for (let i = 0; i < 4; i++) total += this.u32() >>> 10;
    return (total - 8388608) / 2097152;
  }
}

type Distribution = (random: Random, i: number, batch: number) => number;

function bell(scale: number): Distribution {
  return (random) => fl(random.bell() * fl(scale));
}

/** name → value of element i of a batch. */
const distributions: Readonly<Record<string, Distribution>> = {
  uniform: (random) => fl(random.uniform() * fl(3.7)),
  bell: bell(0.83),
  growing: (random, _, batch) => fl(fl(random.bell() * fl(0.31)) * 2 ** batch),
  shrinking: (random, _, batch) => fl(fl(random.bell() * fl(0.77)) * 0.5 ** batch),
  drifting: (random, _, batch) => fl(fl(random.bell() * 0.5) + fl(fl(1.7) * batch)),
  outliers: (random, i) => random.bell() * (i % 300 === 7 ? 40 : 1),
  negative: (random) => fl(-Math.abs(fl(random.uniform() * fl(1.9))) - 0.25),
  relu: (random) => Math.max(random.bell(), 0),
  cubed: (random) => {
    const value = random.bell();
    return fl(fl(value * value) * value);
  },
  ties: (random) => random.integer(-128, 127) / 64,
  tiny: (random) => fl(random.uniform() * fl(1e-9)),
  constant: () => 3,
  constants: (_random, _i, batch) => [3, 3, -1, 0.25, 5][batch] ?? NaN,
  late: (random, _, batch) => {
    const value = random.bell();
    return batch === 0 ? 0.5 : value;
  },
};

export function batchOf(
  name: string,
  random: Random,
  batch: number,
  length: number,
): Float32Array<ArrayBuffer> {
  const value = distributions[name];
  if (value === undefined) throw new Error(`no distribution "${name}"`);
  return Float32Array.from({ length }, (_, i) => value(random, i, batch));
}

/** The bits of an f32, eight hexadecimal digits. */
export function hexOf(value: number): string {
  return new Uint32Array(Float32Array.of(value).buffer)[0]!.toString(16).padStart(8, "0");
}

export function floatOf(hex: string): number {
  return new Float32Array(Uint32Array.of(parseInt(hex, 16)).buffer)[0]!;
}

/** FNV-1a over the 32-bit words, high bits folded down at each step. */
export function hashOf(values: Float32Array | Int32Array): string {
  let state = 2166136261;
  for (const word of new Uint32Array(values.buffer, values.byteOffset, values.length)) {
    state = Math.imul(state ^ word, 16777619);
    state ^= state >>> 15;
  }
  return (state >>> 0).toString(16).padStart(8, "0");
}

/** "scale:zeroPoint" per entry, as the fixtures write them. */
export function pairsOf(quant: { scale: Float32Array; zeroPoint: Int32Array }): string {
  return Array.from(quant.scale, (scale, i) => `${hexOf(scale)}:${quant.zeroPoint[i]}`).join(" ");
}

/** Every value's bits, separated by spaces. */
export function hexesOf(values: Float32Array): string {
  return Array.from(values, hexOf).join(" ");
}
