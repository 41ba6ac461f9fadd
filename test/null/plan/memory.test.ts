// The memory planner on random graphs and on real plans: what lives at the same time never overlaps,
// and no dispatch binds one buffer for reading and for writing, which WebGPU refuses.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bindShapes } from "../../../src/graph/bind.ts";
import { valueOf, type Graph } from "../../../src/graph/graph.ts";
import { load } from "../../../src/load.ts";
import { WRITTEN } from "../../../src/plan/builder.ts";
import { lower } from "../../../src/plan/lower.ts";
import { align, lowerBound, placeTensors, type Lifetime } from "../../../src/plan/memory.ts";
import { bytesOf, type Plan, type Slice } from "../../../src/plan/plan.ts";
import { annotate } from "../../../src/quantize/annotate.ts";
import { convertGraph } from "../../../src/quantize/convert.ts";
import { fuse } from "../../../src/quantize/fuse.ts";
import { addBatch, emptyStatistics } from "../../../src/quantize/observers.ts";
import { insertObservers } from "../../../src/quantize/prepare.ts";
import { qconfigs } from "../../../src/quantize/presets.ts";
import { calibrateOnHost } from "../../support/calibrate.ts";
import { convolutions } from "../../support/families/convolution.ts";
import { elementwise } from "../../support/families/elementwise.ts";
import { products } from "../../support/families/matmul.ts";
import { movements } from "../../support/families/movement.ts";
import { pools } from "../../support/families/pools.ts";
import { pictures, residualGraph } from "../../support/models.ts";
import { sampleFile } from "../../support/sampleModel.ts";
import { hasSharedData, readShared } from "../../support/sharedData.ts";

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

  it("take 1.05 × the bound on average, of graphs whose steps read up to three others", () => {
    const ratios: number[] = [];
    const property = fc.property(graphs, (tensors) => {
      const { sizes } = placeTensors(tensors, 134217728);
      const total = sizes.reduce((sum, bytes) => sum + bytes, 0);
      ratios.push(total / lowerBound(tensors));
    });
    fc.assert(property, { seed: 6, numRuns: 300 });
    const mean = ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length;
    expect(mean).toBeLessThan(1.05);
  });

  it("of a chain take the two largest neighbours and no more", () => {
    const chain = [1000, 3000, 2000, 3000, 500].map((bytes, index, all): Lifetime => ({
      bytes,
      first: index,
      last: index + 1,
      apart: new Set([index - 1, index + 1].filter((at) => at >= 0 && at < all.length)),
    }));
    const { sizes } = placeTensors(chain, 134217728);
    expect(sizes.toSorted((a, b) => b - a)).toEqual([align(3000), align(2000)]);
    expect(lowerBound(chain)).toBe(align(3000) + align(2000));
  });
});

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

/** The bound of the arena, from the plan alone: what steps write lives until a step last reads it. */
function arenaBound({ buffers, steps }: Plan): number {
  const tensors: (Lifetime & { last: number; readonly key: string })[] = [];
  const keyOf = ({ buffer, offset }: Slice) => `${buffer}+${offset}`;
  steps.forEach((step, index) => {
    const slices = Object.entries(step.buffers);
    const inArena = slices.filter(([, { buffer }]) => buffers[buffer]?.role === "arena");
    for (const [name, slice] of inArena) {
      if (WRITTEN.has(name)) continue;
      tensors.findLast(({ key }) => key === keyOf(slice))!.last = index;
    }
    for (const [name, slice] of inArena) {
      if (!WRITTEN.has(name)) continue;
      const key = keyOf(slice);
      tensors.push({ bytes: slice.size, first: index, last: index, apart: new Set(), key });
    }
  });
  return lowerBound(tensors);
}

/** The int8 form of a float graph, with ranges made up: where tensors live does not depend on them. */
function quantizedWithout(float: Graph): Graph {
  const assignment = annotate(float, qconfigs.int8);
  const statistics = new Map(
    insertObservers(float, assignment).nodes.flatMap((node) => {
      if (node.op !== "Observe") return [];
      const seen = { min: -1, max: 6, low: -1, high: 6, counts: new Uint32Array(2048).fill(1) };
      return [[node.inputs[0]!, addBatch(emptyStatistics(node.observer), seen)] as const];
    }),
  );
  return convertGraph(float, assignment, { statistics, biasCorrection: new Map(), samples: 1 });
}

const MOBILENET = "models/mobilenetv2-float.onnx";

describe.each([
  ["the sample", true, () => sampleFile()],
  ["MobileNetV2", hasSharedData(MOBILENET, "its arena"), () => readShared(MOBILENET)],
])("the arena of %s", (_, isThere, file) => {
  const types = ["float", "int8"] as const;
  const cases = types.flatMap((type) => [1, 8].map((batch) => ({ type, batch })));

  it.runIf(isThere).each(cases)(
    "in $type, batch $batch, is within 1.1 × the bound",
    async ({ type, batch }) => {
      const float = fuse((await load(file())).graph);
      const graph = type === "float" ? float : quantizedWithout(float);
      const dims = graph.inputs.flatMap((name) => valueOf(graph, name).shape);
      const open = dims.filter((dim) => typeof dim === "string");
      const lowered = lower(bindShapes(graph, new Map(open.map((dim) => [dim, batch]))));
      const [arena, bound] = [bytesOf(lowered, "arena"), arenaBound(lowered)];
      expect(faultsOf(lowered)).toEqual([]);
      expect(arena).toBeGreaterThanOrEqual(bound);
      expect(10 * arena).toBeLessThanOrEqual(11 * bound);
    },
  );
});
