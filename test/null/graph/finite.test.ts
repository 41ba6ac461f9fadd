// NaN and ±∞ are refused by name where a network would make a plausible class of them: in inputs, weights, scales;
// masks may hold −∞.

import { describe, expect, it } from "vitest";
import { NonFiniteError } from "../../../src/errors.ts";
import { GraphBuilder } from "../../../src/graph/builder.ts";
import { checkInputs, maskInputs } from "../../../src/graph/finite.ts";
import type { Graph } from "../../../src/graph/graph.ts";
import type { Node } from "../../../src/graph/node.ts";
import { load } from "../../../src/load.ts";
import { Model } from "../../../src/model.ts";
import { prepare } from "../../../src/prepare.ts";
import { quantizeDynamic } from "../../../src/quantizeDynamic.ts";
import { save } from "../../../src/save.ts";
import { nonFiniteOf } from "../../../src/tensor/finite.ts";
import { float32, tensor, type Tensor } from "../../../src/tensor/tensor.ts";
import { generator } from "../../support/seeded.ts";

type Step = readonly [op: string, inputs: readonly string[], rest?: object];

/** A graph of `steps`, each making "<its op><its place>", on inputs of shape [2, 3] and `constants`. */
function graphOf(
  inputs: readonly string[],
  constants: Readonly<Record<string, Tensor>>,
  steps: readonly Step[],
): Graph {
  const builder = new GraphBuilder();
  for (const name of inputs) builder.input(name, { dtype: "float32", shape: [2, 3] });
  for (const [name, data] of Object.entries(constants)) builder.constant(name, data);
  let last = "";
  steps.forEach(([op, reads, rest = {}], at) => {
    last = builder.add({
      op,
      name: `${op}${at}`,
      inputs: reads,
      outputs: [`${op}${at}`],
      ...rest,
    } as Node);
  });
  return builder.build("g", inputs, [last]);
}

const model = (graph: Graph) => new Model("float", graph, {});
const loaded = (graph: Graph, options = {}) => load(save(model(graph)), options);
const at = (values: readonly number[], index: number, value: number) =>
  values.map((kept, place) => (place === index ? value : kept));
const matrix = [1, 2, 3, 4, 5, 6, 7, 8, 9];

describe("nonFiniteOf", () => {
  it("finds the first, its value and how many, at every place and length", () => {
    const next = generator(20261201);
    for (let length = 1; length < 14; length++) {
      for (let index = 0; index < length; index++) {
        for (const value of [NaN, Infinity, -Infinity]) {
          const data = Array.from({ length }, () => (next() - 0.5) * 6.8e38);
          expect(nonFiniteOf(float32([length], data))).toBeUndefined();
          data[index] = value;
          data[length - 1] = index === length - 1 ? value : -value;
          const count = index === length - 1 ? 1 : 2;
          expect(nonFiniteOf(float32([length], data))).toEqual({ first: index, value, count });
        }
      }
    }
  });

  it("reads float16 by its bits, and nothing in integers", () => {
    const halves = Uint16Array.of(0x7bff, 0xfc00, 0x7e00);
    expect(nonFiniteOf(tensor("float16", [3], halves))).toEqual({
      first: 1,
      value: -Infinity,
      count: 2,
    });
    expect(nonFiniteOf(tensor("float16", [3], halves), "NaN")).toEqual({
      first: 2,
      value: NaN,
      count: 1,
    });
    expect(nonFiniteOf(tensor("int32", [1], Int32Array.of(0x7fc00000)))).toBeUndefined();
  });
});

describe("an input", () => {
  const scores = graphOf(["x", "mask"], {}, [
    ["Relu", ["x"]],
    ["Unsqueeze", ["mask"], { axes: [0] }],
    ["Add", ["Relu0", "Unsqueeze1"]],
    ["Softmax", ["Add2"], { axis: 2 }],
  ]);
  const x = float32([2, 3], [1, 2, 3, 4, 5, 6]);

  it.each([
    [NaN, 'run: input "x": must be finite; got NaN at index 4. '],
    [Infinity, 'run: input "x": must be finite; got Infinity at index 4. '],
    [-Infinity, 'run: input "x": must be finite; got -Infinity at index 4. '],
  ])("with %s is refused by name and index", (value, words) => {
    const inputs = { x: float32([2, 3], at([1, 2, 3, 4, 5, 6], 4, value)), mask: x };
    expect(() => checkInputs(scores, inputs, { verb: "run" })).toThrow(words);
    expect(() => checkInputs(scores, inputs, { verb: "run" }, "allow")).not.toThrow();
  });

  it("says how many, and what to do", () => {
    const broken = float32([2, 3], [1, NaN, NaN, NaN, 1, 1]);
    expect(() =>
      checkInputs(scores, { x: broken, mask: x }, { verb: "evaluate", batch: 2 }),
    ).toThrowErrorMatchingInlineSnapshot(
      `[NonFiniteError: evaluate: batch 2, input "x": must be finite; got NaN at index 1, the first of 3 such values. Check the preprocessing of that batch, or pass { nonFinite: "allow" } (on the command line: --allow-non-finite).]`,
    );
  });

  it("that is a mask may hold −∞, and nothing else", () => {
    expect([...maskInputs(scores)]).toEqual(["mask"]);
    const mask = (value: number) => ({
      x,
      mask: float32([2, 3], at([0, 0, 0, 0, 0, 0], 1, value)),
    });
    expect(() => checkInputs(scores, mask(-Infinity), { verb: "run" })).not.toThrow();
    for (const value of [NaN, Infinity])
      expect(() => checkInputs(scores, mask(value), { verb: "run" })).toThrow(
        `got ${value} at index 1`,
      );
  });

  it("is no mask where any way leads elsewhere", () => {
    const both = graphOf(["x", "mask"], {}, [
      ["Add", ["x", "mask"]],
      ["Softmax", ["Add0"], { axis: 1 }],
      ["Mul", ["Softmax1", "mask"]],
    ]);
    expect([...maskInputs(both)]).toEqual(["x"]);
  });
});

describe("a constant", () => {
  const product = (weight: readonly number[]) =>
    graphOf(["x"], { w: float32([3, 3], weight) }, [
      ["MatMul", ["x", "w"]],
      ["Relu", ["MatMul0"]],
    ]);

  it.each([NaN, Infinity, -Infinity])(
    "that is a weight and holds %s is refused by load",
    async (value) => {
      await expect(loaded(product(at(matrix, 5, value)))).rejects.toThrow(
        `load: constant "w": must be finite; got ${value} at index 5. `,
      );
      const allowed = await loaded(product(at(matrix, 5, value)), { nonFinite: "allow" });
      expect(allowed.graph.constants.get("w")?.data[5]).toBe(value);
    },
  );

  it("is refused behind moves and sums that lead to a product", async () => {
    const table = graphOf(
      ["x"],
      { table: float32([2, 3], at([1, 2, 3, 4, 5, 6], 0, Infinity)), w: float32([3, 3], matrix) },
      [
        ["Add", ["x", "table"]],
        ["MatMul", ["Add0", "w"]],
      ],
    );
    await expect(loaded(table)).rejects.toThrow(
      'constant "table": must be finite; got Infinity at index 0',
    );
  });

  it("that masks scores may hold −∞ without an option, but not NaN", async () => {
    const masked = (value: number) =>
      graphOf(["x"], { mask: float32([3], [0, value, 0]), w: float32([3, 3], matrix) }, [
        ["MatMul", ["x", "w"]],
        ["Add", ["MatMul0", "mask"]],
        ["Softmax", ["Add1"], { axis: 1 }],
        ["MatMul", ["Softmax2", "w"]],
      ]);
    await expect(loaded(masked(-Infinity))).resolves.toBeInstanceOf(Model);
    await expect(loaded(masked(NaN))).rejects.toThrow(
      'load: constant "mask": must be finite; got NaN at index 1',
    );
  });

  it("of Where, Max and bounds may be infinite", async () => {
    const chosen = graphOf(
      ["x"],
      { endless: float32([1], [-Infinity]), w: float32([3, 3], matrix) },
      [
        ["Max", ["x", "endless"]],
        ["MatMul", ["Max0", "w"]],
      ],
    );
    await expect(loaded(chosen)).resolves.toBeInstanceOf(Model);
  });

  it("stays refused by the verbs that quantize, which name it", () => {
    const broken = model(product(at(matrix, 8, NaN)));
    for (const verb of [quantizeDynamic, prepare] as const)
      expect(() => verb(broken)).toThrow(NonFiniteError);
    expect(() => quantizeDynamic(broken)).toThrowErrorMatchingInlineSnapshot(
      `[NonFiniteError: quantizeDynamic: constant "w": must be finite; got NaN at index 8. Export the model again from weights that are finite, or pass { nonFinite: "allow" } (on the command line: --allow-non-finite).]`,
    );
    expect(() =>
      quantizeDynamic(broken, { nonFinite: "allow" }),
    ).toThrowErrorMatchingInlineSnapshot(
      `[NonFiniteError: MatMul "MatMul0": weight "w": must be finite; got NaN at index 8. Check the model file, the parameters of a BatchNormalization behind it included, or leave the node float: overrides: { "MatMul0": null }.]`,
    );
    const overrides = { MatMul0: null };
    expect(() => quantizeDynamic(broken, { nonFinite: "allow", overrides })).toThrow(
      "there must be something to quantize",
    );
  });

  it("with −∞ keeps its node float: no scale can stand for it", () => {
    const masked = graphOf(
      ["x"],
      { mask: float32([3], [0, -Infinity, 0]), w: float32([3, 3], matrix) },
      [
        ["MatMul", ["x", "w"]],
        ["Add", ["MatMul0", "mask"]],
        ["Softmax", ["Add1"], { axis: 1 }],
      ],
    );
    expect(prepare(model(masked)).details.assignment.get("Add1")).toBeNull();
  });
});
