// Plans for every size up to bounds: the same kernels, the same arrays, the same memory.

import { describe, expect, it } from "vitest";
import { bindShapes } from "../../../src/graph/bind.ts";
import { GraphBuilder } from "../../../src/graph/builder.ts";
import { addDims } from "../../../src/graph/dims.ts";
import type { Graph } from "../../../src/graph/graph.ts";
import { fitsIn } from "../../../src/plan/arrangement.ts";
import { ConstantPool } from "../../../src/plan/constants.ts";
import { PlanFamily } from "../../../src/plan/family.ts";
import { lower } from "../../../src/plan/lower.ts";
import type { Plan, Slice } from "../../../src/plan/plan.ts";
import { defaultTarget, targetOf, type Target } from "../../../src/plan/target.ts";
import { encoder } from "../../support/encoder.ts";

const facts = {
  vendor: "nvidia",
  architecture: "",
  device: "",
  description: "",
  isFallback: false,
  packedDot: true,
};
const targets: Readonly<Record<string, Target>> = {
  "no adapter": defaultTarget,
  "NVIDIA's rules": targetOf(facts),
  "the software adapter's rules": targetOf({
    ...facts,
    vendor: "google",
    isFallback: true,
    quads: true,
  }),
};

const graph = encoder({ layers: 1, heads: 3, width: 24, inner: 132 });
const kernels = ({ steps }: Plan) =>
  steps.map(({ shader, overrides }) => `${shader} ${JSON.stringify(overrides)}`);
const constants = (plan: Plan) =>
  plan.uploads.filter(({ slice }) => plan.buffers[slice.buffer]?.role === "constants");
const others = (plan: Plan) => plan.buffers.filter(({ role }) => role !== "constants");

/** Every batch up to 3 and every sequence up to `sequence`. */
function sizes(sequence: number): Map<string, number>[] {
  return [1, 2, 3].flatMap((batch) =>
    Array.from(
      { length: sequence },
      (_, index) =>
        new Map([
          ["batch", batch],
          ["sequence", index + 1],
        ]),
    ),
  );
}

/** Per step and binding that it reads, the last step before it that wrote there. */
function dataflow({ steps, buffers }: Plan): string[] {
  const overlaps = (a: Slice, b: Slice) =>
    a.buffer === b.buffer && a.offset < b.offset + b.size && b.offset < a.offset + a.size;
  return steps.map((step, index) =>
    Object.entries(step.buffers)
      .filter(([name, { buffer }]) => name !== "out" && buffers[buffer]?.role === "arena")
      .map(([name, slice]) => {
        const writer = steps
          .slice(0, index)
          .findLastIndex(({ buffers: { out } }) => out !== undefined && overlaps(out, slice));
        return `${name}←${writer}`;
      })
      .sort()
      .join(),
  );
}

describe.each(Object.entries(targets))("a family with %s", (_, target) => {
  const bounds = new Map([
    ["batch", 3],
    ["sequence", 44],
  ]);
  const family = PlanFamily.create(graph, target, bounds);
  const known = new Set(family.ends.flatMap(kernels));
  const arrays = new Set(family.ends.flatMap((plan) => constants(plan).map(({ data }) => data)));

  it("has a plan for every size whose kernels, constants and memory its ends have", () => {
    for (const dims of sizes(44)) {
      const { plan, isShared } = family.planFor(dims);
      const where = JSON.stringify([...dims]);
      expect(isShared, where).toBe(true);
      expect(
        kernels(plan).filter((kernel) => !known.has(kernel)),
        where,
      ).toEqual([]);
      expect(
        constants(plan).filter(({ data }) => !arrays.has(data)),
        where,
      ).toEqual([]);
      expect(others(plan), where).toEqual(others(family.greatest));
    }
  });

  it("reads at every size what the same steps wrote as at the bounds, within the same buffers", () => {
    const want = dataflow(family.greatest);
    for (const dims of sizes(44)) {
      const { plan } = family.planFor(dims);
      expect(dataflow(plan), JSON.stringify([...dims])).toEqual(want);
      for (const { buffer, offset, size } of plan.steps.flatMap(({ buffers }) =>
        Object.values(buffers),
      ))
        expect(offset + size).toBeLessThanOrEqual(plan.buffers[buffer]!.size);
    }
  });
});

it("one row keeps the kernels that one row has on its own", () => {
  const target = targetOf(facts);
  const wide: Graph = encoder({ layers: 1, heads: 2, width: 128, inner: 256 }, 1);
  const family = PlanFamily.create(wide, target, new Map([["sequence", 64]]));
  const one = new Map([["sequence", 1]]);
  const products = (plan: Plan) => plan.steps.filter(({ shader }) => shader.startsWith("gemv"));
  expect(products(family.planFor(one).plan).length).toBeGreaterThan(0);
  expect(kernels(family.planFor(one).plan)).toEqual(kernels(lower(bindShapes(wide, one), target)));
  const two = family.planFor(new Map([["sequence", 2]])).plan;
  const bound = family.planFor(new Map([["sequence", 64]])).plan;
  expect(kernels(two)).toEqual(kernels(bound));
});

it("a plan does not lie in memory that was arranged for other tensors or steps", () => {
  const needs = { tensors: [512], inputs: [256], outputs: [256], states: 0, steps: ["a x", "b y"] };
  expect(fitsIn(needs, needs)).toBe(true);
  expect(fitsIn({ ...needs, tensors: [256], steps: ["b y"] }, needs)).toBe(true);
  expect(fitsIn({ ...needs, tensors: [768] }, needs)).toBe(false);
  expect(fitsIn({ ...needs, tensors: [] }, needs)).toBe(false);
  expect(fitsIn({ ...needs, outputs: [512] }, needs)).toBe(false);
  expect(fitsIn({ ...needs, steps: ["b y", "a x"] }, needs)).toBe(false);
  expect(fitsIn({ ...needs, states: 1 }, needs)).toBe(false);
});

it("constants of the same bytes are one array, and of other bytes are not", () => {
  const pool = new ConstantPool();
  const first = Float32Array.of(1, 2);
  expect(pool.intern(first)).toBe(first);
  expect(pool.intern(Float32Array.of(1, 2))).toBe(first);
  const other = Float32Array.of(1, 3);
  expect(pool.intern(other)).toBe(other);
  const named = pool.packed("w", () => Float32Array.of(4));
  expect(pool.packed("w", () => Float32Array.of(5))).toBe(named);
  expect(pool.intern(named)).toBe(named);
});

it("bounds of a model that one element along an axis does not fit are refused, with the size and the way out", () => {
  const builder = new GraphBuilder();
  builder.input("x", { dtype: "float32", shape: [1, "T", 4] });
  const ends = [addDims("T", -4)];
  const slice = { axes: [1], starts: [0], ends, steps: [1] };
  builder.add({ op: "Slice", name: "cut", inputs: ["x"], outputs: ["y"], ...slice });
  const cut = builder.build("cut", ["x"], ["y"]);
  expect(() =>
    PlanFamily.create(cut, defaultTarget, new Map([["T", 64]])),
  ).toThrowErrorMatchingInlineSnapshot(
    `[InputError: bounds: every size from 1 to its bound must fit the model; T 1 does not: Slice "cut": the slice must have shape [1, -3, 4] for T 1; got [1, 0, 4]. The model takes no input of these sizes: pass other sizes. Compile without bounds: each set of sizes is then planned when it comes.]`,
  );
});
