// PyTorch's masks of fake-quantization's gradient, test/fixtures/fake_quantize_grad.json, with the inputs
// that make_fake_quantize_grad.py drew, made again from their seeds.

import type { FakeQuantizeGrad } from "../../src/graph/node.ts";
import { float32, type Tensor } from "../../src/tensor/tensor.ts";
import fixture from "../fixtures/fake_quantize_grad.json";
import { floatOf, hashOf, Random } from "../null/quantize/seeded.ts";
import type { Attributes } from "./cases.ts";

const fl = Math.fround;

export interface GradCase {
  readonly title: string;
  readonly node: Attributes<FakeQuantizeGrad>;
  readonly x: Tensor<"float32">;
  readonly dY: Tensor<"float32">;
  /** What PyTorch gives: dY, or 0 where it masks. */
  readonly want: readonly number[];
}

/** The f32 whose bits are `ulps` further. */
function moved(value: number, ulps: number): number {
  const bits = new Int32Array(Float32Array.of(value).buffer);
  bits[0]! += ulps;
  return new Float32Array(bits.buffer)[0]!;
}

/** The ties at both edges and their neighbours, half-steps, and anything. */
function nearEdges(random: Random, scale: number, low: number, high: number): number[] {
  return Array.from({ length: fixture.length }, (_, i) => {
    if (i % 4 === 2) return fl(((2 * random.integer(-300, 300) + 1) / 2) * scale);
    if (i % 4 === 3) return fl(random.bell() * scale) * 64;
    const edge = random.integer(0, 1) === 0 ? low - 0.5 : high + 0.5;
    return moved(fl(edge * scale), random.integer(-2, 2));
  });
}

/** Every case; throws where the inputs are not PyTorch's bit for bit. */
export const gradCases: readonly GradCase[] = fixture.cases.map((each) => {
  const { seed, zeroPoint, qmin, qmax } = each;
  const random = new Random(seed);
  const scale = floatOf(each.scale);
  const shape = [fixture.length];
  const x = float32(shape, nearEdges(random, scale, qmin - zeroPoint, qmax - zeroPoint));
  const dY = float32(
    shape,
    Array.from({ length: fixture.length }, () => (2 * random.integer(-500, 500) + 1) / 64),
  );
  if (hashOf(x.data) !== each.x || hashOf(dY.data) !== each.dY)
    throw new Error(`fake_quantize_grad.json, seed ${seed}: other inputs than PyTorch's`);
  const bytes = each.mask.match(/../g)!.map((byte) => parseInt(byte, 16));
  const passes = (i: number) => ((bytes[i >> 3]! >> (7 - (i & 7))) & 1) === 1;
  return {
    title: `scale ${scale}, zero point ${zeroPoint} in ${qmin} … ${qmax}, seed ${seed}`,
    node: { op: "FakeQuantizeGrad", scale, zeroPoint, qmin, qmax },
    x,
    dY,
    want: Array.from(dY.data, (value, i) => (passes(i) ? value : 0)),
  };
});
