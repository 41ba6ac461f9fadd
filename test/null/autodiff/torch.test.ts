// Every rule by the reference against PyTorch's autograd, one op at a time.

import { describe, expect, it } from "vitest";
import { rules } from "../../../src/autodiff/rules.ts";
import { bindShapes } from "../../../src/graph/bind.ts";
import { interpret } from "../../../src/reference/interpret.ts";
import { difference } from "../../support/cases.ts";
import { gradientFixtures, TOLERANCE } from "../../support/gradientFixture.ts";

describe("gradients by the reference equal PyTorch's autograd:", () => {
  it.each(gradientFixtures)("$title", ({ make }) => {
    const { graph, feeds, want } = make();
    const got = interpret(bindShapes(graph, new Map()), feeds);
    for (const [name, gradient] of want)
      expect(difference(got.get(name), gradient, { tolerance: TOLERANCE })).toBeUndefined();
  });
});

/** Ops with a rule that PyTorch's cases do not hold. */
const elsewhere = new Map([
  ["has no gradient: integers, bools and steps", "And ArgMax ArgMin Equal Greater GreaterOrEqual"],
  ["likewise", "Less LessOrEqual Not Or Xor Sign Floor Ceil Round"],
  ["passes dY on", "Cast Identity"],
  ["has a fixture of its own, fake_quantize_grad.json", "FakeQuantize"],
  ["stands in backward passes only; products.test.ts", "ConvGradFilter"],
]);

it("every op that has a rule is among PyTorch's cases, or has its reason here", () => {
  const tested = gradientFixtures.map(({ op }) => op);
  const known = new Set([...tested, ...[...elsewhere.values()].flatMap((ops) => ops.split(" "))]);
  expect(Object.keys(rules).filter((op) => !known.has(op))).toEqual([]);
});
