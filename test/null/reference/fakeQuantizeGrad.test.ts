// Fake-quantization and its gradients, docs/quantization.md (7), (18), (20), against PyTorch: every element
// of outputs and masks, at the clamp's edges and a few ULP beside them.

import { describe, expect, it } from "vitest";
import { float32, toNumbers } from "../../../src/tensor/tensor.ts";
import { gradCases, learnCases } from "../../support/fakeQuantizeGrad.ts";
import { hashOf } from "../quantize/seeded.ts";
import { counting, numbers, runAll } from "./support.ts";

describe("FakeQuantize gives what PyTorch's fake_quantize gives, bit for bit", () => {
  it.each([...gradCases, ...learnCases])("$title", ({ forward, x, scale, zeroPoint, y }) => {
    expect(hashOf(Float32Array.from(numbers(forward, [x, scale, zeroPoint])))).toBe(y);
  });
});

describe("FakeQuantizeGrad passes what PyTorch's autograd passes", () => {
  it.each(gradCases)("$title", ({ node, x, dY, scale, zeroPoint, want }) => {
    expect(numbers(node, [x, dY, scale, zeroPoint])).toEqual(want);
  });

  it("which a mask of the unrounded x / s + z does not", () => {
    const perTensor = gradCases.filter(({ node }) => node.axis === undefined);
    const wrong = perTensor.map(({ node: { qmin, qmax }, x, scale, zeroPoint, want }) => {
      const real = toNumbers(x).map((value) => value / scale.data[0]! + zeroPoint.data[0]!);
      return real.filter((u, i) => (u >= qmin && u <= qmax) !== (want[i] !== 0)).length;
    });
    for (const count of wrong) expect(count).toBeGreaterThan(0);
  });
});

describe("FakeQuantizeGrad of a learned scale and zero point gives what PyTorch's gives", () => {
  it.each(learnCases)("$title", ({ node, x, dY, scale, zeroPoint, dX, dScale, dZero }) => {
    const got = runAll(node, [x, dY, scale, zeroPoint], {}, ["dX", "dScale", "dZero"]);
    expect(hashOf(got[0]!.data as Float32Array)).toBe(dX);
    // PyTorch adds up 1,024 terms in f32.
    got[1]!.data.forEach((value, c) =>
      expect(relative(Number(value), dScale[c]!)).toBeLessThan(1e-5),
    );
    got[2]!.data.forEach((value, c) =>
      expect(relative(Number(value), dZero[c]!)).toBeLessThan(1e-5),
    );
  });
});

function relative(got: number, want: number): number {
  return got === want ? 0 : Math.abs(got - want) / Math.abs(want);
}

describe("FakeQuantizeGrad", () => {
  const node = { op: "FakeQuantizeGrad", qmin: 0, qmax: 3 } as const;
  const parameters = [float32([], [0.5]), float32([], [1])];

  it("keeps the gradient on the ties that round into the range, and drops what is clamped", () => {
    // Steps −1.5, −1.4, −0.5, 2, 2.4, 2.5, 2.6, ∞ from the zero point; −1 … 2 are in range.
    const x = float32([8], [-0.75, -0.7, -0.25, 1, 1.2, 1.25, 1.3, Infinity]);
    expect(numbers(node, [x, counting([8]), ...parameters])).toEqual([0, 2, 3, 4, 5, 6, 0, 0]);
  });

  it("drops the gradient of NaN", () => {
    const x = float32([2], [NaN, 0]);
    expect(numbers(node, [x, counting([2]), ...parameters])).toEqual([0, 2]);
  });

  it("takes a scale below eps for eps, and rounds a zero point into the range", () => {
    const least = { op: "FakeQuantize", qmin: 0, qmax: 3, eps: 0.5 } as const;
    const [scale, zeroPoint] = [float32([], [-1]), float32([], [3.6])];
    expect(numbers(least, [float32([3], [-9, -0.6, 1]), scale, zeroPoint])).toEqual([
      -1.5, -0.5, 0,
    ]);
  });

  it("refuses a gradient of another shape", () => {
    expect(() =>
      numbers(node, [counting([2, 2]), counting([4]), ...parameters]),
    ).toThrowErrorMatchingInlineSnapshot(
      `[InputError: FakeQuantizeGrad "node": the gradient must have x's shape [2, 2]; got [4]. Pass the gradient of this node's output.]`,
    );
  });

  it("refuses parameters of other slices than the axis has", () => {
    const perRow = { op: "FakeQuantize", qmin: 0, qmax: 3, axis: 0 } as const;
    expect(() =>
      numbers(perRow, [counting([2, 3]), counting([3]), counting([3])]),
    ).toThrowErrorMatchingInlineSnapshot(
      `[InputError: FakeQuantize "node": scale and zero point must have shape [2], the slices of axis 0; got [3]. Give it one of each.]`,
    );
    const whole = { op: "FakeQuantize", qmin: 0, qmax: 3 } as const;
    expect(() =>
      numbers(whole, [counting([2, 3]), counting([2]), counting([1])]),
    ).toThrowErrorMatchingInlineSnapshot(
      `[InputError: FakeQuantize "node": scale and zero point must have one element; got [2]. Give it one of each.]`,
    );
  });
});
