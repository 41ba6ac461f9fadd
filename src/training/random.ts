// Random numbers for training: the same on every machine, from a seed, and with a state of four words that can be
// stored. Generator: Chris Doty-Humphrey's sfc32, of PractRand (https://pracrand.sourceforge.net/RNG_engines.txt).

/** Four words, 0 … 2³² − 1. */
export type RandomState = readonly [number, number, number, number];

/** A word that every bit of both words reaches: MurmurHash3's finalizer. */
function mixed(word: number, into: number): number {
  let h = (into ^ word) >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter: number;

  constructor([a, b, c, counter]: RandomState) {
    this.#a = a >>> 0;
    this.#b = b >>> 0;
    this.#c = c >>> 0;
    this.#counter = counter >>> 0;
  }

  /** A generator for `numbers`, each a whole number below 2⁵³: a seed, and whatever else its numbers belong to, such
   *  as an epoch. Other numbers give another sequence. */
  static of(...numbers: readonly number[]): Random {
    const words = numbers.flatMap((n) => [n >>> 0, Math.floor(n / 2 ** 32) >>> 0]);
    const [a, b, c] = [0x9e3779b9, 0x243f6a88, 0xb7e15162].map((start) =>
      words.reduce((hash, word, place) => mixed(word + place, Math.imul(hash, 31) + 1), start),
    );
    const random = new Random([a ?? 0, b ?? 0, c ?? 0, 1]);
    for (let round = 0; round < 15; round++) random.next(); // as PractRand seeds it
    return random;
  }

  get state(): RandomState {
    return [this.#a, this.#b, this.#c, this.#counter];
  }

  /** A word, 0 … 2³² − 1. */
  next(): number {
    const result = (this.#a + this.#b + this.#counter) >>> 0;
    this.#counter = (this.#counter + 1) >>> 0;
    this.#a = (this.#b ^ (this.#b >>> 9)) >>> 0;
    this.#b = (this.#c + (this.#c << 3)) >>> 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + result) >>> 0;
    return result;
  }

  /** In [0, 1), in steps of 2⁻³². */
  uniform(): number {
    return this.next() / 2 ** 32;
  }

  /** In [low, high). */
  between(low: number, high: number): number {
    return low + (high - low) * this.uniform();
  }

  /** A whole number in 0 … bound − 1, all as likely; bound is at most 2³². */
  below(bound: number): number {
    const rest = 2 ** 32 % bound; // words at the end that would favour small numbers
    for (;;) {
      const word = this.next();
      if (word < 2 ** 32 - rest) return word % bound;
    }
  }
}

/** 0 … length − 1 in an order that follows from `random`: Fisher and Yates. */
export function shuffled(length: number, random: Random): Uint32Array {
  const order = Uint32Array.from({ length }, (_, index) => index);
  for (let last = length - 1; last > 0; last--) {
    const at = random.below(last + 1);
    [order[last], order[at]] = [order[at] ?? 0, order[last] ?? 0];
  }
  return order;
}
