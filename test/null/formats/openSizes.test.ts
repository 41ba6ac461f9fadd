// Encoders with open batch and sequence, as torch's exporters write them (fixtures/openSizes.py): imported
// once, right at every size, and refused by name beyond what the model has.

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { InputError } from "../../../src/errors.ts";
import { importOnnx } from "../../../src/formats/onnx/index.ts";
import { bindShapes, matchDims } from "../../../src/graph/bind.ts";
import { valueOf } from "../../../src/graph/graph.ts";
import { PlanFamily } from "../../../src/plan/family.ts";
import { defaultTarget } from "../../../src/plan/target.ts";
import { interpret } from "../../../src/reference/interpret.ts";
import { float32, tensor } from "../../../src/tensor/tensor.ts";
import { difference } from "../../support/cases.ts";

interface Case {
  readonly shape: [number, number, number];
  readonly x: number[];
  readonly y: number[];
  readonly last: number[];
}

const file = (name: string) => new URL(`../../fixtures/openSizes/${name}`, import.meta.url);
const cases = JSON.parse(readFileSync(file("cases.json"), "utf8")) as Case[];

describe.each(["torchscript", "dynamo"])("an encoder of torch's %s exporter", (exporter) => {
  const graph = importOnnx(readFileSync(file(`${exporter}.onnx`)));
  const [x = ""] = graph.inputs;
  const sizesOf = (shape: readonly number[]) => matchDims(graph, { [x]: tensor("float32", shape) });

  it("keeps its open sizes, and what is computed from them", () => {
    const shapes = [...graph.inputs, ...graph.outputs].map((name) => valueOf(graph, name).shape);
    expect(shapes).toEqual([
      ["batch", "sequence", 8],
      ["batch", "sequence + 1", 8],
      ["batch", 1, 8],
    ]);
  });

  it.each(cases)("gives what torch gives for $shape", ({ shape, x: data, y, last }) => {
    const [batch, sequence, width] = shape;
    const got = interpret(bindShapes(graph, sizesOf(shape)), {
      [x]: float32(shape, Float32Array.from(data)),
    });
    const wants = [
      float32([batch, sequence + 1, width], Float32Array.from(y)),
      float32([batch, 1, width], Float32Array.from(last)),
    ];
    // The fixture has six decimals.
    graph.outputs.forEach((name, index) =>
      expect(difference(got.get(name), wants[index]!, { tolerance: 5e-6 })).toBeUndefined(),
    );
  });

  it("has one family of plans for every size up to its positions", () => {
    const family = PlanFamily.create(graph, defaultTarget, sizesOf([3, 16, 8]));
    for (let sequence = 1; sequence <= 16; sequence++)
      expect(family.planFor(sizesOf([2, sequence, 8])).isShared).toBe(true);
  });

  it("refuses more positions than the model has", () => {
    const refusal = (() => {
      try {
        return bindShapes(graph, sizesOf([1, 17, 8]));
      } catch (error) {
        return error;
      }
    })();
    expect(refusal).toBeInstanceOf(InputError);
    expect((refusal as Error).message).toContain("sequence 17; got [1, 16, 8]");
  });
});
