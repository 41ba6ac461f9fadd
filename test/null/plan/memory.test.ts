// The memory planner on random graphs and on real plans: what lives at the same time never overlaps,
// and no dispatch binds one buffer for reading and for writing, which WebGPU refuses.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bindShapes } from "../../../src/graph/bind.ts";
import type { Graph } from "../../../src/graph/graph.ts";
import { lower } from "../../../src/plan/lower.ts";
import { align, lowerBound, placeTensors, type Lifetime } from "../../../src/plan/memory.ts";
import type { Plan, Slice } from "../../../src/plan/plan.ts";
import { annotate } from "../../../src/quantize/annotate.ts";
import { convertGraph } from "../../../src/quantize/convert.ts";
import { fuse } from "../../../src/quantize/fuse.ts";
import { insertObservers } from "../../../src/quantize/prepare.ts";
import { qconfigs } from "../../../src/quantize/presets.ts";
import { calibrateOnHost } from "../../support/calibrate.ts";
import { convolutions } from "../../support/families/convolution.ts";
import { elementwise } from "../../support/families/elementwise.ts";
import { products } from "../../support/families/matmul.ts";
import { movements } from "../../support/families/movement.ts";
import { pools } from "../../support/families/pools.ts";
import { pictures, residualGraph } from "../../support/models.ts";

/** Step i writes tensor i and reads a few of those before it. */
const graphs = fc
  .array(fc.record({ bytes: fc.nat(5000), reads: fc.array(fc.nat(8), { maxLength: 3 }) }), {
    minLength: 1,
    maxLength: 30,
  })
  .map((steps): Lifetime[] => {
    const apart = steps.map(() => new Set<number>());
    const last = steps.map((_, index) => index);
    steps.forEach(({ reads }, index) => {
      for (const back of reads) {
        const read = index - 1 - back;
        if (read < 0) continue;
        last[read] = index;
        apart[index]!.add(read);
        apart[read]!.add(index);
      }
    });
    return steps.map(({ bytes }, index) => ({
      bytes,
      first: index,
      last: last[index]!,
      apart: apart[index]!,
    }));
  });

const limits = fc.constantFrom(4096, 16384, 134217728);

describe("placed tensors", () => {
  it("that live at the same time do not overlap", () => {
    const property = fc.property(graphs, limits, (tensors, limit) => {
      const { placements } = placeTensors(tensors, limit);
      tensors.forEach((a, i) => {
        for (let j = 0; j < i; j++) {
          const [b, p, q] = [tensors[j]!, placements[i]!, placements[j]!];
          if (p.arena !== q.arena || a.first > b.last || b.first > a.last) continue;
          const before = p.offset + align(a.bytes) <= q.offset;
          const after = q.offset + align(b.bytes) <= p.offset;
          expect(before || after).toBe(true);
        }
      });
    });
    fc.assert(property, { seed: 3, numRuns: 300 });
  });

  it("that a step reads and writes are in different buffers", () => {
    const property = fc.property(graphs, limits, (tensors, limit) => {
      const { placements } = placeTensors(tensors, limit);
      tensors.forEach(({ apart }, index) => {
        for (const other of apart)
          expect(placements[index]!.arena).not.toBe(placements[other]!.arena);
      });
    });
    fc.assert(property, { seed: 4, numRuns: 300 });
  });

  it("fill buffers of aligned offsets, no smaller than the bound, and none over the limit", () => {
    const property = fc.property(graphs, limits, (tensors, limit) => {
      const { sizes, placements } = placeTensors(tensors, limit);
      const total = sizes.reduce((sum, bytes) => sum + bytes, 0);
      expect(total).toBeGreaterThanOrEqual(lowerBound(tensors));
      for (const { offset } of placements) expect(offset % 256).toBe(0);
      sizes.forEach((bytes, arena) => {
        const single = tensors.filter((_, index) => placements[index]!.arena === arena);
        const largest = Math.max(...single.map((tensor) => align(tensor.bytes)));
        expect(bytes <= limit || bytes === largest).toBe(true);
      });
      expect(placeTensors(tensors, limit)).toEqual({ sizes, placements });
    });
    fc.assert(property, { seed: 5, numRuns: 300 });
  });

  it("of a chain take the two largest neighbours and no more", () => {
    const chain = [1000, 3000, 2000, 3000, 500].map((bytes, index, all): Lifetime => ({
      bytes,
      first: index,
      last: index + 1,
      apart: new Set([index - 1, index + 1].filter((at) => at >= 0 && at < all.length)),
    }));
    const { sizes } = placeTensors(chain, 134217728);
    expect(sizes).toEqual([align(3000), align(2000)]);
    expect(lowerBound(chain)).toBe(align(3000) + align(2000));
  });
});

const WRITTEN = new Set(["out", "slot"]);

/** Faults of a plan: a buffer bound both ways, a slice out of bounds, a read of what was not written
 *  whole by the last step that wrote there. */
function faultsOf(plan: Plan): string[] {
  const faults: string[] = [];
  const writes: { readonly slice: Slice; readonly step: number }[] = [];
  const overlap = (a: Slice, b: Slice) =>
    a.buffer === b.buffer && a.offset < b.offset + b.size && b.offset < a.offset + a.size;
  for (const { slice } of [...plan.uploads, ...plan.inputs]) writes.push({ slice, step: -1 });
  plan.steps.forEach(({ node, shader, buffers }, index) => {
    const entries = Object.entries(buffers);
    const written = entries.filter(([name]) => WRITTEN.has(name));
    const read = entries.filter(([name]) => !WRITTEN.has(name));
    for (const [, slice] of entries) {
      const { size } = plan.buffers[slice.buffer]!;
      if (slice.offset % 256 !== 0 || slice.offset + slice.size > size)
        faults.push(`${shader} ${node}: slice out of bounds`);
    }
    for (const [name, slice] of read) {
      if (written.some(([, other]) => other.buffer === slice.buffer))
        faults.push(`${shader} ${node}: ${name} shares its buffer with the output`);
      const last = writes.findLast((write) => overlap(write.slice, slice));
      if (!last || last.slice.offset !== slice.offset || last.slice.size < slice.size)
        faults.push(`${shader} ${node}: ${name} reads what step ${last?.step} left`);
    }
    for (const [, slice] of written) writes.push({ slice, step: index });
  });
  return faults;
}

const plan = (graph: Graph, batch = 1) => lower(bindShapes(graph, new Map([["batch", batch]])));

describe("plans read what was written for them, from another buffer than they write", () => {
  const families = [...convolutions, ...elementwise, ...products, ...pools, ...movements];
  it.each(families)("$title", ({ sample }) => {
    for (const { graph } of sample(30)) {
      // A tensor without elements is never written, and nobody reads an element of it.
      const isEmpty = [...graph.values.values()].some(({ shape }) => shape.includes(0));
      if (!isEmpty) expect(faultsOf(plan(graph))).toEqual([]);
    }
  });

  const fused = fuse(residualGraph());
  const assignment = annotate(fused, qconfigs.int8);
  const prepared = insertObservers(fused, assignment);
  const calibration = calibrateOnHost(prepared, [pictures(2, 1)]);
  const quantized = convertGraph(fused, assignment, calibration);

  it.each([
    ["float", fused],
    ["prepared", prepared],
    ["quantized", quantized],
  ])("%s residual network", (_, graph) => {
    expect(faultsOf(plan(graph, 3))).toEqual([]);
  });
});
