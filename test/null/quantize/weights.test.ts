// Constants as integers: what must be refused, and which axis is a layer's output.

import { describe, expect, it } from "vitest";
import type { Node } from "../../../src/graph/node.ts";
import { qconfigs } from "../../../src/quantize/presets.ts";
import { outputAxis, quantizeWeight } from "../../../src/quantize/weights.ts";
import { float32 } from "../../../src/tensor/tensor.ts";

const matmul: Node = { op: "MatMul", name: "/fc", inputs: ["x", "w"], outputs: ["y"] };
const { search: _searched, ...spec } = qconfigs.int8.weight;

describe("a quantized weight", () => {
  it("has one scale per output channel, whatever axis that is in the op", () => {
    expect(outputAxis(matmul)).toBe(1);
    const { quant, data } = quantizeWeight(
      matmul,
      float32([2, 3], [1, 2, 127, -1, 4, 0]),
      undefined,
      1,
      spec,
    );
    expect(quant.axis).toBe(1);
    expect([...quant.scale]).toEqual([1, 4, 127].map((most) => Math.fround(most / 127)));
    expect([...data.data]).toEqual([127, 64, 127, -127, 127, 0]);
  });

  it("of a reduced range has the scale of it, and no clamp: a tie at 63.5 steps is 64, as in PyTorch", () => {
    const reduced = { ...qconfigs.onednn.weight, reduceRange: true };
    const weight = float32([2, 2], [63.5, -63.5, 127, 1]);
    const { data, quant } = quantizeWeight(matmul, weight, undefined, 1, reduced);
    expect([...quant.scale]).toEqual([2, Math.fround(63.5 / 63.5)]);
    expect([...data.data]).toEqual([32, -64, 64, 1]);
    const searched = { ...reduced, search: "squaredError" } as const;
    const cut = quantizeWeight(matmul, weight, undefined, 1, searched).data.data;
    expect(Math.max(...cut)).toBeLessThanOrEqual(63);
  });

  it("gets a coarser scale where the bias would not fit int32", () => {
    const bias = Float32Array.of(1e6, 0, 0);
    const { quant } = quantizeWeight(matmul, float32([1, 3], [1e-9, 1, 1]), bias, 1e-3, spec);
    expect(Math.abs(1e6 / (1e-3 * quant.scale[0]!))).toBeLessThan(2 ** 31);
  });

  it.each([
    ["weight", NaN, [0], 'MatMul "/fc": weight "w": must be finite; got NaN at index 1. '],
    [
      "bias",
      Infinity,
      [0, Infinity, 0],
      'MatMul "/fc": bias "bias of /fc": must be finite; got Infinity at index 1. ',
    ],
  ])("refuses a %s of %s by name", (what, value, bias, words) => {
    const weight = float32([1, 3], what === "weight" ? [1, value, 1] : [1, 1, 1]);
    expect(() => quantizeWeight(matmul, weight, Float32Array.from(bias), 1, spec)).toThrow(words);
  });
});
