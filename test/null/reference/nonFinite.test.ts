// The reference makes of NaN, infinities, zeros of both signs, subnormal and huge numbers what ONNX Runtime makes of
// them (native, CPU, no optimizations: test/fixtures/make_nonfinite.py), op by op.

import { describe, expect, it } from "vitest";
import { bindShapes } from "../../../src/graph/bind.ts";
import { fuse } from "../../../src/quantize/fuse.ts";
import { load } from "../../../src/load.ts";
import { interpret } from "../../../src/reference/interpret.ts";
import { nonFiniteGroups, unequal } from "../../support/nonFiniteFixture.ts";

// ONNX Runtime's vectorized functions are a few ulp off, and sums of terms of about 1 as many of those.
const functions = (want: number) => Math.max(Math.abs(want) * 1e-5, 3e-7);
const sums = (want: number) => Math.max(Math.abs(want) * 1e-5, 1e-5);

describe.each(nonFiniteGroups())("$name", ({ name: group, model, inputs, wanted }) => {
  const allowed = group === "products" ? sums : functions;
  it.each([...wanted.keys()])("%s is that of ONNX Runtime", async (name) => {
    const { graph } = await load(model, { nonFinite: "allow" });
    for (const form of [graph, fuse(graph)]) {
      const found = interpret(bindShapes(form, new Map()), inputs);
      expect(unequal(found.get(name), [wanted.get(name)!], allowed)).toBeUndefined();
    }
  });
});
