// Optimizers on the device: PyTorch's twenty steps, and random parameters of every number of axes against the
// reference, with padding lanes that must stay 0 whatever gradients have in theirs.

import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { appendOptimizer, hyperOf, type OptimizerSpec } from "../../src/autodiff/optimizers.ts";
import type { Device } from "../../src/gpu/device.ts";
import { GraphBuilder } from "../../src/graph/builder.ts";
import { elementStrides, layoutOf } from "../../src/plan/layout.ts";
import { Session } from "../../src/session.ts";
import { float32, sizeOf, tensor, toNumbers } from "../../src/tensor/tensor.ts";
import { dim, seed } from "../support/cases.ts";
import { testDevice } from "../support/device.ts";
import { optimizerCases, optimizerGraph } from "../support/optimizerFixture.ts";
import { floats } from "../support/seeded.ts";
import { checkRuns, deviceRuns, variablesOf } from "../support/training.ts";

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});
afterAll(() => device.dispose());

/** Both round to f32 along the way, each in its own order, and a GPU's division and root are some ULP off:
 *  twenty steps of 0.1 on parameters of about 1. */
const TOLERANCE = 5e-6;

describe("an optimizer's twenty steps on the device are PyTorch's", () => {
  it.each(optimizerCases)("$title", async ({ graph, feeds, every, parameters, norms }) => {
    const after = await deviceRuns(device, graph, feeds);
    for (const [step, values] of parameters) {
      for (const [name, want] of values) {
        const got = toNumbers(after[step * every - 1]!.get(name)!);
        const furthest = Math.max(...got.map((value, index) => Math.abs(value - want[index]!)));
        expect(furthest, `${name} after step ${step}`).toBeLessThan(TOLERANCE);
      }
    }
    norms.forEach((norm, index) => {
      const [got] = toNumbers(after[(index + 1) * every - 1]!.get("clip/norm")!);
      expect(Math.abs(got! - norm)).toBeLessThan(TOLERANCE * norm);
    });
  });
});

const specs: readonly (readonly [string, OptimizerSpec, boolean])[] = [
  ["SGD", { kind: "sgd", learningRate: 0.1, weightDecay: 0.1 }, false],
  ["Nesterov", { kind: "sgd", learningRate: 0.1, momentum: 0.9, nesterov: true, maxNorm: 2 }, true],
  ["AdamW", { kind: "adamw", learningRate: 0.1, maxNorm: 3 }, false],
  ["Adam that accumulates", { kind: "adam", learningRate: 0.1, weightDecay: 0.1 }, true],
];

/** Of all numbers of axes, with padding and without; the fourth spans several workgroups and parts of a norm. */
const shapes = new Map([
  ["scalar", []],
  ["bias", [7]],
  ["matrix", [5, 8]],
  ["large", [130, 131]],
  ["filter", [6, 3, 3, 2]],
  ["five", [2, 1, 3, 2, 5]],
]);

describe("every parameter is updated as the reference does", () => {
  it.each(specs)("%s", async (_, spec, accumulate) => {
    const graph = optimizerGraph(spec, [], shapes, accumulate);
    const feeds = [1, 2, 3, 4].map((run) => {
      const update = accumulate ? Math.ceil(run / 2) : run;
      const apply = !accumulate || run % 2 === 0;
      const hyper = hyperOf(spec, { learningRate: 0.1 / run, update, accumulation: 2, apply });
      const gradients = [...shapes].map(([name, shape], index) => {
        return [`gradient ${name}`, floats(shape, run * 100 + index)] as const;
      });
      return { hyper: float32([8], hyper), ...Object.fromEntries(gradients) };
    });
    await checkRuns(device, graph, feeds, { tolerance: TOLERANCE, terms: 1 });
  });
});

const randomSpec: fc.Arbitrary<OptimizerSpec> = fc
  .record({
    kind: fc.constantFrom("sgd" as const, "adam" as const, "adamw" as const),
    momentum: fc.constantFrom(0, 0.5, 0.9),
    dampening: fc.constantFrom(0, 0.3),
    weightDecay: fc.constantFrom(0, 0.1),
    maxNorm: fc.constantFrom(undefined, 0.1, 100),
  })
  .map(({ kind, momentum, dampening, weightDecay, maxNorm }) => {
    const shared = { learningRate: 0.1, weightDecay, ...(maxNorm ? { maxNorm } : {}) };
    if (kind !== "sgd") return { kind, ...shared };
    const nesterov = momentum > 0 && dampening === 0;
    return { kind, ...shared, momentum, dampening, nesterov };
  });

describe("random optimizers on random parameters", () => {
  it("equal the reference", async () => {
    const shape = fc.array(dim, { maxLength: 5 }).filter((sizes) => sizeOf(sizes) < 4000);
    const parameters = fc.array(shape, { minLength: 1, maxLength: 4 });
    const property = fc.asyncProperty(
      fc.record({ spec: randomSpec, parameters, accumulate: fc.boolean(), seed }),
      async (given) => {
        const { spec, accumulate } = given;
        const named = new Map(given.parameters.map((sizes, index) => [`p${index}`, sizes]));
        const feeds = [1, 2].map((run) => {
          const update = accumulate ? 1 : run;
          const step = {
            learningRate: 0.1,
            update,
            accumulation: 2,
            apply: !accumulate || run === 2,
          };
          const gradients = [...named].map(([name, sizes], index) => {
            return [`gradient ${name}`, floats(sizes, given.seed + run * 10 + index)] as const;
          });
          return { hyper: float32([8], hyperOf(spec, step)), ...Object.fromEntries(gradients) };
        });
        const graph = optimizerGraph(spec, [], named, accumulate);
        await checkRuns(device, graph, feeds, { tolerance: TOLERANCE, terms: 1 });
      },
    );
    await fc.assert(property, { seed: 20261126, numRuns: 25, endOnFailure: false });
  });
});

/** Elements that lie in `shape`'s layout, by their places. */
function placesOf(shape: readonly number[]): Set<number> {
  const strides = elementStrides(layoutOf(shape));
  const places = new Set<number>();
  for (let index = 0; index < sizeOf(shape); index++) {
    let [rest, at] = [index, 0];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at += (rest % shape[axis]!) * strides[axis]!;
      rest = Math.floor(rest / shape[axis]!);
    }
    places.add(at);
  }
  return places;
}

describe("what gradients have in their padding", () => {
  it.each(specs)(
    "reaches neither parameters nor state nor the norm: %s",
    async (_, spec, accumulate) => {
      const shape = [3, 5, 2, 2];
      const builder = new GraphBuilder();
      builder.input("hyper", { dtype: "float32", shape: [8] });
      builder.input("x", { dtype: "float32", shape });
      const values = floats(shape, 5);
      // Where takes the scalar where its condition's padding is 0, so the gradient has 7 in its own.
      builder.constant("seven", float32([], [7]));
      const mask = Uint8Array.from(values.data, (_, i) => Number(i % 3 > 0));
      builder.constant("condition", tensor("bool", shape, mask));
      const inputs = ["condition", "x", "seven"];
      builder.add({ op: "Where", name: "where", inputs, outputs: ["gradient"] });
      builder.variable("w", values);
      const appended = appendOptimizer(builder, spec, [], new Map([["w", "gradient"]]), {
        hyper: "hyper",
        accumulate,
      });
      const outputs = appended.norm === undefined ? [] : [appended.norm];
      const graph = builder.build("padding", ["hyper", "x"], outputs);
      const hyper = float32([8], hyperOf(spec, { learningRate: 0.1, update: 1 }));
      const feeds = { hyper, x: floats(shape, 6) };
      await checkRuns(device, graph, [feeds], { tolerance: TOLERANCE, terms: 1 });
      using session = new Session(graph, device);
      await session.run(feeds);
      const places = placesOf(shape);
      const variables = await variablesOf(await session.program(feeds));
      expect([...variables.keys()]).toContain("w");
      for (const [name, { stored }] of variables) {
        const padding = [...stored].filter((_, at) => !places.has(at));
        expect(padding.length, name).toBeGreaterThan(0);
        expect(new Set(padding), name).toEqual(new Set([0]));
      }
    },
  );
});
