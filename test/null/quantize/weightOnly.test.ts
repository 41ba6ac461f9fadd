// Weights in fewer bits: float16 is PyTorch's, blocks of int8 and int4 are on their grids, and no scale near the
// chosen one has less error. Fixture: test/fixtures/make_weight_only.py.

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { bindShapes } from "../../../src/graph/bind.ts";
import { GraphBuilder } from "../../../src/graph/builder.ts";
import type { Node } from "../../../src/graph/node.ts";
import { floatWeight } from "../../../src/graph/weightOnly.ts";
import { blockParams, checkGroupSize, storeWeight } from "../../../src/quantize/weightOnly.ts";
import { interpret } from "../../../src/reference/interpret.ts";
import { floatOfHalf, halfOfFloat } from "../../../src/tensor/half.ts";
import { packNibbles, unpackNibbles } from "../../../src/tensor/nibbles.ts";
import { float32, type Tensor } from "../../../src/tensor/tensor.ts";
import { floats } from "../../support/seeded.ts";

const fixture = JSON.parse(
  readFileSync(new URL("../../fixtures/weightOnly.json", import.meta.url), "utf8"),
) as Record<"weight" | "bias" | "x" | "y" | "floats" | "halves", number[]>;

const gemm: Node = {
  op: "Gemm",
  name: "fc",
  inputs: ["x", "w", "b"],
  outputs: ["y"],
  alpha: 1,
  beta: 1,
  transA: false,
  transB: true,
};
const matmul: Node = { op: "MatMul", name: "fc", inputs: ["x", "w"], outputs: ["y"] };

describe("halves", () => {
  it("round as torch.Tensor.half does, at ties and next to them, subnormal ones too", () => {
    expect(fixture.floats.map(halfOfFloat)).toEqual(fixture.halves);
  });

  it("come back as they were, all 65,536 of them but the names of NaN", () => {
    const wrong = Array.from({ length: 65536 }, (_, bits) => bits).filter((bits) => {
      const value = floatOfHalf(bits);
      return !Number.isNaN(value) && halfOfFloat(value) !== bits && bits !== 0x8000;
    });
    expect(wrong).toEqual([]);
    expect(halfOfFloat(-0)).toBe(0x8000);
    expect(halfOfFloat(NaN) & 0x7fff).toBeGreaterThan(0x7c00);
  });
});

it("nibbles come back, the first of a byte in its low half", () => {
  const values = Int8Array.of(-8, 7, -1, 0, 5);
  expect([...packNibbles(values)]).toEqual([0x78, 0x0f, 0x05]);
  expect(unpackNibbles(packNibbles(values), 5, "int4")).toEqual(values);
  expect(unpackNibbles(Uint8Array.of(0xf8, 1), 3, "uint4")).toEqual(Uint8Array.of(8, 15, 1));
});

describe("a float16 weight", () => {
  const weight = float32([6, 20], fixture.weight);
  const stored = storeWeight(gemm, weight, { dtype: "float16" });

  it("gives what PyTorch's float16 dynamic Linear gives, weights beyond ±65,504 saturated", () => {
    expect(stored.saturated).toBe(2);
    const builder = new GraphBuilder();
    builder.input("x", { dtype: "float32", shape: [3, 20] });
    builder.constant("w", stored.data);
    builder.constant("b", float32([6], fixture.bias));
    builder.add(gemm);
    const graph = bindShapes(builder.build("linear", ["x"], ["y"]), new Map());
    const y = interpret(graph, { x: float32([3, 20], fixture.x) }).get("y")!;
    y.data.forEach((value, at) => {
      const want = fixture.y[at]!;
      // torch sums in f32: 20 terms, each rounding 2⁻²⁴ of the greatest.
      expect(Math.abs(Number(value) - want)).toBeLessThan(
        20 * 2 ** -23 * Math.max(1, Math.abs(want)),
      );
    });
  });

  it("is refused where the float weight is not finite", () => {
    const bad = float32([2, 2], [0, 1, Infinity, 0]);
    expect(() => storeWeight(gemm, bad, { dtype: "float16" })).toThrowErrorMatchingInlineSnapshot(
      `[NonFiniteError: Gemm "fc": weight "w": must be finite; got Infinity at index 2. Check the model file, the parameters of a BatchNormalization behind it included, or leave the node float: overrides: { "fc": null }.]`,
    );
  });
});

/** Σ (w − ŵ)² of `weight` under other scales. */
function errorOf(weight: Tensor<"float32">, scale: Float32Array, at: number, block: number[]) {
  const s = scale[at]!;
  return block.reduce((sum, index) => {
    const w = weight.data[index]!;
    const q = Math.min(7, Math.max(-8, Math.round(w / s)));
    return sum + (w - s * q) ** 2;
  }, 0);
}

describe("blocks", () => {
  const [k, n, size] = [40, 3, 16];
  const weight = floats([k, n], 3);

  it("have a scale per 16 rows of a column, the last block shorter", () => {
    const { scale, axis, blockSize, zeroPoint } = blockParams(weight, "int8", 0, size);
    expect({ count: scale.length, axis, blockSize }).toEqual({ count: 9, axis: 0, blockSize: 16 });
    expect([...zeroPoint]).toEqual(Array(9).fill(0));
    for (let block = 0; block < 3; block++) {
      for (let column = 0; column < n; column++) {
        const rows = Array.from({ length: Math.min(size, k - block * size) }, (_, at) => at);
        const greatest = Math.max(
          ...rows.map((row) => Math.abs(weight.data[(block * size + row) * n + column]!)),
        );
        expect(scale[block * n + column]).toBe(Math.fround(greatest / 127));
      }
    }
  });

  it("of a transposed weight are the same numbers, transposed", () => {
    const turned = float32(
      [n, k],
      Array.from({ length: n * k }, (_, at) => weight.data[(at % k) * n + Math.floor(at / k)]!),
    );
    const [a, b] = [
      storeWeight(matmul, weight, { dtype: "int4", groupSize: size }),
      storeWeight(gemm, turned, { dtype: "int4", groupSize: size }),
    ];
    const [left, right] = [floatWeight(a.data, a.quant), floatWeight(b.data, b.quant)];
    for (let at = 0; at < n * k; at++) {
      expect(right.data[at]).toBe(left.data[(at % k) * n + Math.floor(at / k)]);
    }
  });

  it("of int4 have the scale of least error among those tried: none at max |w| / 7 or / 8 has less", () => {
    const { scale } = blockParams(weight, "int4", 0, size);
    const block = Array.from({ length: size }, (_, row) => row * n + 1);
    const greatest = Math.max(...block.map((index) => Math.abs(weight.data[index]!)));
    const own = errorOf(weight, scale, 1, block);
    expect(own).toBeLessThanOrEqual(
      errorOf(weight, Float32Array.of(greatest / 7), 0, block) + 1e-9,
    );
    expect(own).toBeLessThan(errorOf(weight, Float32Array.of(greatest / 8), 0, block) * 1.2);
  });

  it("reproduce a weight on their own grid exactly, zeros and a block of zeros included", () => {
    const grid = float32(
      [32, 1],
      Array.from({ length: 32 }, (_, at) => (at < 16 ? ((at % 15) - 7) * 0.25 : 0)),
    );
    const stored = storeWeight(matmul, grid, { dtype: "int4", groupSize: 16 });
    expect([...floatWeight(stored.data, stored.quant).data].map((w) => w + 0)).toEqual(
      [...grid.data].map((w) => w + 0),
    );
  });

  it("must be multiples of eight rows", () => {
    expect(() => checkGroupSize(12, "quantizeDynamic")).toThrowErrorMatchingInlineSnapshot(
      `[QConfigError: quantizeDynamic: groupSize must be a multiple of 8; got 12. 32, 64 and 128 are common.]`,
    );
    expect(() => checkGroupSize(128, "quantizeDynamic")).not.toThrow();
  });
});
