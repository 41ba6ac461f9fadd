// Every file that `save` writes is a good one: over random graphs and all kinds of models it passes what the ONNX
// checker asks, loads in ONNX Runtime with its default optimizations, gives our numbers there and loads again as the
// same numbers; and weights of real size make it smaller than its float source.
//
// SAVED_GRAPHS=5000 npx vitest run --project null test/null/formats/savedFiles.test.ts for more of them.

import * as ort from "onnxruntime-web";
import { describe, expect, it } from "vitest";
import { exportOnnx } from "../../../src/formats/onnx/export.ts";
import { bindShapes, matchDims } from "../../../src/graph/bind.ts";
import type { Graph } from "../../../src/graph/graph.ts";
import { load } from "../../../src/load.ts";
import { interpret } from "../../../src/reference/interpret.ts";
import { save } from "../../../src/save.ts";
import { toNumbers, type Tensor, type Tensors } from "../../../src/tensor/tensor.ts";
import { faultsOf } from "../../support/onnxChecker.ts";
import { randomGraph } from "../../support/randomGraphs.ts";
import { savedModes } from "../../support/savedModels.ts";

ort.env.wasm.numThreads = 1;
ort.env.logLevel = "error";

const COUNT = Number(process.env["SAVED_GRAPHS"] ?? 4);
const FIRST = Number(process.env["SAVED_FIRST"] ?? 1);
/** ms; a graph in all modes takes a second. */
const TIMEOUT = 60_000 + 10_000 * COUNT;
const seeds = Array.from({ length: COUNT }, (_, at) => FIRST + at);

function inReference(graph: Graph, feeds: Tensors): Tensor {
  const values = interpret(bindShapes(graph, matchDims(graph, feeds)), feeds);
  return values.get(graph.outputs[0]!)!;
}

async function inRuntime(bytes: Uint8Array, feeds: Tensors): Promise<Tensor> {
  const session = await ort.InferenceSession.create(bytes);
  const inputs = Object.entries(feeds).map(([name, { dtype, data, shape }]) => {
    return [name, new ort.Tensor(dtype, data as never, [...shape])] as const;
  });
  const results = await session.run(Object.fromEntries(inputs));
  const { type, data, dims } = results[session.outputNames[0]!]!;
  await session.release();
  return { dtype: type, shape: dims, data } as unknown as Tensor;
}

/** Signal to noise in decibel, 300 where all is equal. */
function decibels(got: Tensor, want: Tensor): number {
  expect([got.dtype, [...got.shape]]).toEqual([want.dtype, [...want.shape]]);
  const [a, b] = [toNumbers(got), toNumbers(want)];
  const noise = b.reduce((sum, value, at) => sum + (value - (a[at] ?? NaN)) ** 2, 0);
  const signal = b.reduce((sum, value) => sum + value ** 2, 0);
  return 10 * Math.log10((signal + 1e-30) / (noise + 1e-30));
}

describe.each(Object.keys(savedModes))("%s", (mode) => {
  it(
    `${COUNT} random graphs from seed ${FIRST}: valid, loads in ONNX Runtime, our numbers there and again`,
    async () => {
      for (const seed of seeds) {
        const { graph, feeds } = randomGraph(seed);
        const at = `seed ${seed}`;
        const model = savedModes[mode]!(graph, [feeds(0), feeds(1)]);
        const want = inReference(model.graph, feeds(7));
        for (const weights of ["uint8", "int8"] as const) {
          const file = save(model, { weights });
          expect(faultsOf(file), at).toEqual([]);
          const again = (await load(file)).graph;
          // 120 dB: float sums in another order, where a constant was folded or a clamp is a node of its own.
          expect(decibels(inReference(again, feeds(7)), want), at).toBeGreaterThan(120);
          // Where codes flip at ties, one step of eight bits is left: 20 dB and more of these outputs.
          expect(decibels(await inRuntime(file, feeds(7)), want), at).toBeGreaterThan(20);
        }
      }
    },
    TIMEOUT,
  );
});

it(
  "is never larger than its float source where weights are of real size",
  () => {
    for (const seed of seeds.slice(0, 3)) {
      const { graph, feeds } = randomGraph(seed, 3);
      const source = exportOnnx(graph);
      for (const [mode, make] of Object.entries(savedModes)) {
        const file = save(make(graph, [feeds(0)]));
        expect(file.length, `seed ${seed}, ${mode}`).toBeLessThanOrEqual(source.length);
      }
    }
  },
  TIMEOUT,
);
