// Integer linear and convolution, (25), (26) and (29), against the engines that others run:
// test/fixtures/requantize.json, written by make_requantize.py. ONNX Runtime computes (29) itself, so
// every byte is equal; qnnpack multiplies by a reciprocal, (31), and fbgemm keeps its bias float,
// (30), so a few results on a tie or beside one differ by 1, and their number is pinned.

import { describe, expect, it } from "vitest";
import {
  clampBounds,
  foldZeroPoint,
  multiplier,
  quantizeBias,
  requantize,
  sumWeights,
} from "../../../src/graph/arithmetic.ts";
import { tensor } from "../../../src/tensor/tensor.ts";
import fixture from "../../fixtures/requantize.json";
import { Random } from "./seeded.ts";

const fl = Math.fround;
type Case = (typeof fixture.cases)[number];

const linear = { m: 24, k: 64, n: 40 };
const conv = { batch: 2, channels: 8, size: 7, filters: 12 };

/** The numbers of one case, drawn in the order of make_requantize.py's inputs_of. */
function inputsOf({ seed, kind, flavour, groups }: Case) {
  const random = new Random(seed);
  const isTies = flavour === "ties";
  const channels = kind === "linear" ? linear.n : conv.filters;
  const xLength =
    kind === "linear" ? linear.m * linear.k : conv.batch * conv.channels * conv.size ** 2;
  const taps = kind === "linear" ? linear.k : (conv.channels / groups) * 9;
  const zx = random.integer(100, 150);
  const zy = random.integer(100, 150);
  const reach = isTies ? 4 : 127;
  const x = random.integers(xLength, zx - Math.min(reach, 100), zx + Math.min(reach, 100));
  const w = random.integers(channels * taps, -reach, reach);
  const b = random.integers(channels, -reach * 100, reach * 100);
  if (isTies) {
    const [sx, sy] = [2 ** -6, 2 ** -4];
    const sw = Float32Array.from({ length: channels }, () => 2 ** -random.integer(0, 2));
    const bias = sw.map((s, c) => Math.floor(b[c]! / 32) * (sx * s));
    return { x, w, b, bias, sx, sw, sy, zx, zy, taps };
  }
  const near = (low: number, span: number): number =>
    fl(fl(low) + fl(Math.abs(random.uniform()) * fl(span)));
  const sx = near(0.02, 0.01);
  const sy = near(0.7, 0.3);
  const sw = Float32Array.from({ length: channels }, () => near(0.01, 0.02));
  const bias = sw.map((s, c) => fl(fl(b[c]! * fl(1.37)) * fl(sx * s)));
  return { x, w, b, bias, sx, sw, sy, zx, zy, taps };
}

/** The bytes that our arithmetic gives. */
function compute(each: Case): Uint8Array {
  const { x, w, b, bias, sx, sw, sy, zx, zy, taps } = inputsOf(each);
  const channels = sw.length;
  const { sum } = sumWeights(tensor("int8", [channels, taps], Int8Array.from(w)), 0);
  const isOrt = each.engine === "ort";
  const bq = !isOrt ? quantizeBias(bias, sx, sw) : each.kind === "conv" ? b : b.map(() => 0);
  const folded = foldZeroPoint(bq, zx, sum);
  const quant = {
    dtype: "uint8",
    scale: Float32Array.of(sy),
    zeroPoint: Int32Array.of(zy),
  } as const;
  const [low, high] = clampBounds(each.relu ? 0 : undefined, undefined, quant);
  const toQ = (acc: number, c: number): number =>
    requantize(acc, multiplier(sx, sw[c]!, sy), zy, low, high);

  const out: number[] = [];
  if (each.kind === "linear") {
    for (let row = 0; row < linear.m; row++) {
      for (let c = 0; c < channels; c++) {
        let acc = folded[c]!;
        for (let k = 0; k < taps; k++) acc += x[row * taps + k]! * w[c * taps + k]!;
        out.push(toQ(acc, c));
      }
    }
    return Uint8Array.from(out);
  }
  const { batch, size } = conv;
  const perGroup = conv.channels / each.groups;
  const outSize = Math.floor((size + 2 - 3) / each.stride) + 1;
  for (let n = 0; n < batch; n++) {
    for (let c = 0; c < channels; c++) {
      const firstChannel = Math.floor(c / (channels / each.groups)) * perGroup;
      for (let y0 = 0; y0 < outSize; y0++) {
        for (let x0 = 0; x0 < outSize; x0++) {
          let acc = folded[c]!;
          for (let tap = 0; tap < taps; tap++) {
            const row = y0 * each.stride - 1 + (Math.floor(tap / 3) % 3);
            const column = x0 * each.stride - 1 + (tap % 3);
            const plane = n * conv.channels + firstChannel + Math.floor(tap / 9);
            const isInside = row >= 0 && row < size && column >= 0 && column < size;
            // Padding is zx: real 0.
            const value = isInside ? x[(plane * size + row) * size + column]! : zx;
            acc += value * w[c * taps + tap]!;
          }
          out.push(toQ(acc, c));
        }
      }
    }
  }
  return Uint8Array.from(out);
}

function outputOf(each: Case): Uint8Array {
  return Uint8Array.from(atob(each.output), (character) => character.charCodeAt(0));
}

/** Seed → results one step apart. Over 40 times as many seeds: qnnpack 1, fbgemm 27 of 325,440. */
const apart: Readonly<Record<number, number>> = { 6195: 1, 6258: 2, 6499: 2, 6577: 2 };

function titled(engine: string): (Case & { title: string })[] {
  return fixture.cases
    .filter((each) => each.engine === engine)
    .map((each) => ({
      ...each,
      title: `${each.kind}, ${each.flavour}, stride ${each.stride}, ${each.groups} groups, relu ${each.relu}, seed ${each.seed}`,
    }));
}

describe("ONNX Runtime's integer ops are (29) byte for byte", () => {
  it.each(titled("ort"))("$title", (each) => {
    expect(compute(each)).toEqual(outputOf(each));
  });
});

describe.each(["qnnpack", "fbgemm"])("%s is (29) but for pinned single steps", (engine) => {
  it.each(titled(engine))("$title", (each) => {
    const ours = compute(each);
    const theirs = outputOf(each);
    expect(ours.length).toBe(theirs.length);
    const distances = ours.map((value, i) => Math.abs(value - theirs[i]!));
    const differing = distances.filter((distance) => distance > 0).length;
    const known = apart[each.seed] ?? 0;
    expect({ differing, greatest: Math.max(...distances) }).toEqual({
      differing: known,
      greatest: known > 0 ? 1 : 0,
    });
  });
});
