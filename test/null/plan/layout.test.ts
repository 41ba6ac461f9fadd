// Where elements lie: channels last for four axes, words of four, padding 0.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { shaders } from "../../../src/gpu/shaders.gen.ts";
import { packUniform } from "../../../src/gpu/shader.ts";
import { denseBytes, foldGrid } from "../../../src/plan/builder.ts";
import { elementStrides, layoutOf, packLayout } from "../../../src/plan/layout.ts";
import { sizeOf } from "../../../src/tensor/tensor.ts";

const shape = fc.array(fc.nat(6), { maxLength: 6 });

describe("a layout", () => {
  it("has channels last, padded to whole words, where there are four axes", () => {
    expect(layoutOf([2, 5, 3, 4])).toEqual({
      logical: [2, 5, 3, 4],
      order: [0, 2, 3, 1],
      physical: [2, 3, 4, 8],
      last: 5,
      lastWords: 2,
      words: 48,
    });
    expect(elementStrides(layoutOf([2, 5, 3, 4]))).toEqual([96, 1, 32, 8]);
  });

  it("keeps the order of any other number of axes; a scalar is one element", () => {
    expect(layoutOf([2, 5]).physical).toEqual([2, 8]);
    expect(layoutOf([2, 5, 3]).order).toEqual([0, 1, 2]);
    expect(layoutOf([]).logical).toEqual([1]);
    expect(layoutOf([3, 0, 2, 2]).words).toBe(0);
  });

  it("holds every element once, at the place that its strides say", () => {
    fc.assert(
      fc.property(shape, (dims) => {
        const layout = layoutOf(dims);
        const size = sizeOf(dims);
        const packed = packLayout(
          layout,
          Array.from({ length: size }, (_, index) => index + 1),
          "float32",
        );
        expect(packed.length).toBe(layout.words * 4);
        expect(packed.filter((value) => value !== 0).length).toBe(size); // the rest is padding
        const strides = elementStrides(layout);
        const { logical } = layout;
        for (let index = 0; index < size; index++) {
          let [at, rest] = [0, index];
          for (let axis = logical.length - 1; axis >= 0; axis--) {
            at += (rest % logical[axis]!) * strides[axis]!;
            rest = Math.floor(rest / logical[axis]!);
          }
          expect(packed[at]).toBe(index + 1);
        }
      }),
      { seed: 1 },
    );
  });

  it("stores uint8 less 128, so that bytes are int8", () => {
    const packed = packLayout(layoutOf([3]), [0, 128, 255], "int8", 128);
    expect(packed).toEqual(Int8Array.of(-128, 0, 127, 0));
  });
});

describe("a grid", () => {
  it.each([
    [0, [0, 0]],
    [1, [1, 1]],
    [65535, [65535, 1]],
    [65536, [32768, 2]],
  ])("of %i workgroups is %j", (groups, grid) => {
    expect(foldGrid(groups)).toEqual(grid);
  });

  it("has sides within the limit, enough workgroups, and less than a row too many", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 65535 * 65535 }), (groups) => {
        const [x, y] = foldGrid(groups);
        expect(Math.max(x, y)).toBeLessThanOrEqual(65535);
        expect(x * y).toBeGreaterThanOrEqual(groups);
        expect(x * y - groups).toBeLessThan(y);
      }),
      { seed: 1 },
    );
  });
});

it("dense arrays take whole words", () => {
  expect([denseBytes([0], 1), denseBytes([1], 1), denseBytes([4, 1], 1)]).toEqual([0, 4, 4]);
  expect([denseBytes([], 4), denseBytes([5], 4)]).toEqual([16, 32]);
});

it("uniforms are laid out as the shader declares them, and none may be missing", () => {
  const { params } = shaders.dequantizeI8.bindings;
  const view = new DataView(packUniform(params, { count: 7, scale: 0.5, zeroPoint: -3 }));
  const { count, scale, zeroPoint } = params.fields;
  expect(view.getUint32(count.offset, true)).toBe(7);
  expect(view.getFloat32(scale.offset, true)).toBe(0.5);
  expect(view.getInt32(zeroPoint.offset, true)).toBe(-3);
  expect(() => packUniform(params, { count: 7, scale: 0.5 })).toThrowErrorMatchingInlineSnapshot(
    `[Error: uniform "zeroPoint" is missing; please report.]`,
  );
});
