// The straight-through gradient, docs/quantization.md (18), against PyTorch's autograd: every element
// of the mask, at the clamp's edges and a few ULP beside them.

import { describe, expect, it } from "vitest";
import { float32, toNumbers } from "../../../src/tensor/tensor.ts";
import { gradCases } from "../../support/fakeQuantizeGrad.ts";
import { counting, numbers } from "./support.ts";

describe("FakeQuantizeGrad passes what PyTorch's autograd passes", () => {
  it.each(gradCases)("$title", ({ node, x, dY, want }) => {
    expect(numbers(node, [x, dY])).toEqual(want);
  });

  it("which a mask of the unrounded x / s + z does not", () => {
    const wrong = gradCases.map(({ node: { scale, zeroPoint, qmin, qmax }, x, want }) => {
      const real = toNumbers(x).map((value) => value / scale + zeroPoint);
      return real.filter((u, i) => (u >= qmin && u <= qmax) !== (want[i] !== 0)).length;
    });
    for (const count of wrong) expect(count).toBeGreaterThan(0);
  });
});

describe("FakeQuantizeGrad", () => {
  const node = { op: "FakeQuantizeGrad", scale: 0.5, zeroPoint: 1, qmin: 0, qmax: 3 } as const;

  it("keeps the gradient on the ties that round into the range, and drops what is clamped", () => {
    // Steps −1.5, −1.4, −0.5, 2, 2.4, 2.5, 2.6, ∞ from the zero point; −1 … 2 are in range.
    const x = float32([8], [-0.75, -0.7, -0.25, 1, 1.2, 1.25, 1.3, Infinity]);
    expect(numbers(node, [x, counting([8])])).toEqual([0, 2, 3, 4, 5, 6, 0, 0]);
  });

  it("drops the gradient of NaN", () => {
    expect(numbers(node, [float32([2], [NaN, 0]), counting([2])])).toEqual([0, 2]);
  });

  it("refuses a gradient of another shape", () => {
    expect(() =>
      numbers(node, [counting([2, 2]), counting([4])]),
    ).toThrowErrorMatchingInlineSnapshot(
      `[InputError: FakeQuantizeGrad "node": the gradient must have x's shape [2, 2]; got [4]. Pass the gradient of this node's output.]`,
    );
  });
});
