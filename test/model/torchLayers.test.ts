// Every code of every module of torchvision's quantized networks, against PyTorch itself: run through, and
// layer by layer, each fed with PyTorch's own inputs. Needs a Python with torch and torchvision:
//
//   TORCH_PYTHON=python3 npx vitest run --project model test/model/torchLayers.test.ts
//
// MODELS=resnet18,resnet50 picks architectures.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { bindShapes, type BoundGraph } from "../../src/graph/bind.ts";
import { buildModel, type ArchitectureName } from "../../src/models/architectures.ts";
import type { Engine } from "../../src/graph/node.ts";
import { interpret } from "../../src/reference/interpret.ts";
import { tensor, type Tensor } from "../../src/tensor/tensor.ts";
import {
  fixtureNames,
  quantizedState,
  seededImages,
  torchResults,
} from "../support/torchModels.ts";

const python = process.env["TORCH_PYTHON"];
const script = join(import.meta.dirname, "../fixtures/make_models.py");
const names = (process.env["MODELS"]?.split(",") ?? fixtureNames) as ArchitectureName[];

/** PyTorch's codes of every module, by name. */
function dump(name: string, backend: Engine): Map<string, Tensor> {
  const folder = mkdtempSync(join(tmpdir(), "torch-layers-"));
  try {
    execFileSync(python!, [script, name, backend, folder], { stdio: "ignore" });
    const { index } = JSON.parse(readFileSync(join(folder, "codes.json"), "utf8")) as {
      index: { name: string; shape: number[]; at: number }[];
    };
    const codes = new Uint8Array(readFileSync(join(folder, "codes.bin")));
    return new Map(
      index.map(({ name, shape, at }) => {
        const size = shape.reduce((product, dim) => product * dim, 1);
        return [name, tensor("uint8", shape, codes.subarray(at, at + size))];
      }),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

class Figure {
  count = 0;
  off = 0;
  greatest = 0;
  layers: string[] = [];

  compare(name: string, expected: ArrayLike<number>, got: ArrayLike<number | bigint>): void {
    let off = 0;
    for (let i = 0; i < expected.length; i++) {
      const difference = Math.abs(Number(got[i]) - expected[i]!);
      if (difference === 0) continue;
      off++;
      this.greatest = Math.max(this.greatest, difference);
    }
    this.count += expected.length;
    this.off += off;
    if (off > 0) this.layers.push(`${name} ${off}/${expected.length}`);
  }

  toString(): string {
    const first = this.layers.slice(0, 4).join(", ");
    return `${this.off} of ${this.count} codes differ, by at most ${this.greatest}${first && `: ${first}`}`;
  }
}

/** Each node computed from PyTorch's values where it has them, else from ours. */
function layerByLayer(
  graph: BoundGraph,
  images: Tensor,
  torch: ReadonlyMap<string, Tensor>,
): Figure {
  const figure = new Figure();
  const values = new Map<string, Tensor>([...graph.constants, ["images", images]]);
  for (const node of graph.nodes) {
    const inputs = node.inputs.filter((input) => !graph.constants.has(input));
    const given = Object.fromEntries(inputs.map((input) => [input, values.get(input)!]));
    const one = { ...graph, nodes: [node], inputs, outputs: node.outputs };
    const results = interpret(one, given);
    for (const output of node.outputs) {
      const expected = torch.get(output);
      const ours = results.get(output)!;
      if (expected) figure.compare(output, expected.data as Uint8Array, ours.data);
      values.set(output, expected ?? ours);
    }
  }
  return figure;
}

const canRun = python !== undefined;
if (!canRun) console.log("skipped: layers against PyTorch need TORCH_PYTHON, a Python with torch");

describe.skipIf(!canRun).each(names)("%s", (name) => {
  it.each(["fbgemm", "qnnpack"] as const)(
    "differs from %s in at most 1 of 1,000 codes",
    (backend) => {
      const results = torchResults(name);
      const torch = dump(name, backend);
      const state = quantizedState(name, results, backend);
      const model = buildModel(name, state, { size: results.size, quantize: true, backend });
      const graph = bindShapes(model, new Map([["batch", 1]]));
      const images = seededImages(results.size);
      const through = new Figure();
      const values = interpret(graph, { images });
      for (const [key, { data }] of torch) {
        const ours = values.get(key);
        expect(ours, `module ${key} has no value in the graph`).toBeDefined();
        through.compare(key, data as Uint8Array, ours!.data);
      }
      const layers = layerByLayer(graph, images, torch);
      console.log(`${name} ${backend}\n  run through:    ${through}\n  layer by layer: ${layers}`);
      expect(layers.off / layers.count).toBeLessThanOrEqual(1e-3);
      expect(layers.greatest).toBeLessThanOrEqual(1);
      expect(through.off / through.count).toBeLessThanOrEqual(1e-3);
    },
  );
});
