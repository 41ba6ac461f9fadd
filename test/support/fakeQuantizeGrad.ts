// What PyTorch's fake-quantization and its autograd give, test/fixtures/fake_quantize_grad.json and
// fake_quantize_learn.json, with the inputs that make_fake_quantize_grad.py drew, made again from their seeds.

import type { FakeQuantize, FakeQuantizeGrad } from "../../src/graph/fakeQuantized.ts";
import { float32, type Tensor } from "../../src/tensor/tensor.ts";
import fixture from "../fixtures/fake_quantize_grad.json";
import learned from "../fixtures/fake_quantize_learn.json";
import { floatOf, hashOf, Random } from "../null/quantize/seeded.ts";
import type { Attributes } from "./cases.ts";

const fl = Math.fround;

export interface FakeCase {
  readonly title: string;
  readonly forward: Attributes<FakeQuantize>;
  readonly node: Attributes<FakeQuantizeGrad>;
  readonly x: Tensor<"float32">;
  readonly dY: Tensor<"float32">;
  readonly scale: Tensor<"float32">;
  readonly zeroPoint: Tensor<"float32">;
  /** Hash of what PyTorch's forward gives. */
  readonly y: string;
}

export interface GradCase extends FakeCase {
  /** What PyTorch gives: dY, or 0 where it masks. */
  readonly want: readonly number[];
}

export interface LearnCase extends FakeCase {
  /** Hash of dX, and the sums. */
  readonly dX: string;
  readonly dScale: readonly number[];
  readonly dZero: readonly number[];
}

/** The f32 whose bits are `ulps` further. */
function moved(value: number, ulps: number): number {
  const bits = new Int32Array(Float32Array.of(value).buffer);
  bits[0]! += ulps;
  return new Float32Array(bits.buffer)[0]!;
}

/** The ties at both edges and their neighbours, half-steps, and anything. */
function nearEdges(random: Random, scale: number, low: number, high: number, length: number) {
  return Array.from({ length }, (_, i) => {
    if (i % 4 === 2) return fl(((2 * random.integer(-300, 300) + 1) / 2) * scale);
    if (i % 4 === 3) return fl(random.bell() * scale) * 64;
    const edge = random.integer(0, 1) === 0 ? low - 0.5 : high + 0.5;
    return moved(fl(edge * scale), random.integer(-2, 2));
  });
}

interface Drawn {
  readonly seed: number;
  readonly axis?: number;
  readonly qmin: number;
  readonly qmax: number;
  readonly x: string;
  readonly dY: string;
  readonly y: string;
  readonly gradientScale?: number;
}

/** The case of a fixture's entry, inputs drawn again: rows of x are channels, with axis 1 columns. */
function draw(each: Drawn, scales: readonly number[], zeros: readonly number[]): FakeCase {
  const { seed, axis, qmin, qmax, gradientScale } = each;
  const random = new Random(seed);
  const channels = scales.length;
  const length = Math.floor(fixture.length / channels);
  const rows = scales.map((scale, c) => {
    const z = Math.round(zeros[c]!);
    return nearEdges(random, scale, qmin - z, qmax - z, length);
  });
  const shape =
    axis === undefined ? [length] : axis === 0 ? [channels, length] : [length, channels];
  const values = axis === 1 ? rows[0]!.flatMap((_, i) => rows.map((row) => row[i]!)) : rows.flat();
  const x = float32(shape, values);
  const gradient = values.map(() => (2 * random.integer(-500, 500) + 1) / 64);
  const dY = float32(shape, gradient);
  if (hashOf(x.data) !== each.x || hashOf(dY.data) !== each.dY)
    throw new Error(`make_fake_quantize_grad.py, seed ${seed}: other inputs than PyTorch's`);
  const slices = axis === undefined ? [] : [channels];
  const bounds = {
    qmin,
    qmax,
    ...(axis === undefined ? {} : { axis }),
    ...(gradientScale === undefined ? {} : { gradientScale }),
  };
  const where = axis === undefined ? "" : `, axis ${axis}`;
  return {
    title: `scale ${scales.join(" ")}, zero point ${zeros.join(" ")} in ${qmin} … ${qmax}${where}, seed ${seed}`,
    forward: { op: "FakeQuantize", ...bounds },
    node: { op: "FakeQuantizeGrad", ...bounds },
    x,
    dY,
    scale: float32(slices, scales),
    zeroPoint: float32(slices, zeros),
    y: each.y,
  };
}

function withMask(drawn: FakeCase, mask: string): GradCase {
  const bytes = mask.match(/../g)!.map((byte) => parseInt(byte, 16));
  const passes = (i: number) => ((bytes[i >> 3]! >> (7 - (i & 7))) & 1) === 1;
  return { ...drawn, want: Array.from(drawn.dY.data, (value, i) => (passes(i) ? value : 0)) };
}

/** Every case per tensor and per channel; throws where the inputs are not PyTorch's bit for bit. */
export const gradCases: readonly GradCase[] = [
  ...fixture.cases.map((each) =>
    withMask(draw(each, [floatOf(each.scale)], [each.zeroPoint]), each.mask),
  ),
  ...fixture.perChannel.map((each) =>
    withMask(draw(each, each.scale.map(floatOf), each.zeroPoint), each.mask),
  ),
];

/** Cases of learned scales and zero points. */
export const learnCases: readonly LearnCase[] = learned.cases.map((each) => ({
  ...draw(each, each.scale.map(floatOf), each.zeroPoint.map(floatOf)),
  dX: each.dX,
  dScale: each.dScale.map(floatOf),
  dZero: each.dZero.map(floatOf),
}));
