// Float convolution against sums made by hand; ONNX Conv.

import { describe, expect, it } from "vitest";
import { float32 } from "../../../src/tensor/tensor.ts";
import { counting, numbers, plain, run } from "./support.ts";

const conv = { op: "Conv", group: 1, kernel: [2, 2], ...plain } as const;
const x = counting([1, 1, 3, 3]); // 1 2 3 / 4 5 6 / 7 8 9

describe("Conv", () => {
  it("sums each window times the filter, not flipped", () => {
    const filter = float32([1, 1, 2, 2], [1, 10, 100, 1000]);
    expect(numbers(conv, [x, filter])).toEqual([5421, 6532, 8754, 9865]);
  });

  it("adds the bias of the output channel", () => {
    const filter = float32([2, 1, 2, 2], [1, 0, 0, 0, 0, 0, 0, 1]);
    expect(numbers(conv, [x, filter, float32([2], [0.5, -1])])).toEqual([
      1.5, 2.5, 4.5, 5.5, 4, 5, 7, 8,
    ]);
  });

  it("sums over input channels", () => {
    const two = float32([1, 2, 1, 2], [1, 2, 3, 4]);
    const filter = float32([1, 2, 1, 1], [10, 1]);
    expect(numbers({ ...conv, kernel: [1, 1] }, [two, filter])).toEqual([13, 24]);
  });

  it("reads pads as top, left, bottom, right", () => {
    const filter = float32([1, 1, 2, 2], [0, 0, 0, 1]);
    const padded = run({ ...conv, pads: [1, 0, 0, 2] }, [x, filter]);
    expect(padded.shape).toEqual([1, 1, 3, 4]);
    expect([...padded.data]).toEqual([2, 3, 0, 0, 5, 6, 0, 0, 8, 9, 0, 0]);
  });

  it("steps by strides (height, width)", () => {
    const filter = float32([1, 1, 1, 1], [1]);
    const node = { ...conv, kernel: [1, 1], strides: [2, 1] } as const;
    expect(numbers(node, [x, filter])).toEqual([1, 2, 3, 7, 8, 9]);
  });

  it("spreads taps by dilations (height, width)", () => {
    const filter = float32([1, 1, 2, 2], [1, 10, 100, 1000]);
    const node = { ...conv, dilations: [2, 1] } as const;
    expect(numbers(node, [x, filter])).toEqual([8721, 9832]);
  });

  it("gives each group its own channels", () => {
    const four = counting([1, 4, 1, 1]);
    const filter = float32([2, 2, 1, 1], [1, 10, 1, 10]);
    expect(numbers({ ...conv, kernel: [1, 1], group: 2 }, [four, filter])).toEqual([21, 43]);
  });

  it("is depthwise with one channel per group, several outputs per channel", () => {
    const two = counting([1, 2, 1, 1]);
    const filter = float32([4, 1, 1, 1], [1, 10, 100, 1000]);
    expect(numbers({ ...conv, kernel: [1, 1], group: 2 }, [two, filter])).toEqual([
      1, 10, 200, 2000,
    ]);
  });

  it("keeps batches apart", () => {
    const batch = counting([2, 1, 1, 2]);
    const filter = float32([1, 1, 1, 2], [1, 1]);
    expect(numbers({ ...conv, kernel: [1, 2] }, [batch, filter])).toEqual([3, 7]);
  });

  it("clamps after the bias", () => {
    const filter = float32([1, 1, 1, 1], [1]);
    const node = { ...conv, kernel: [1, 1], low: 0, high: 6 } as const;
    const values = float32([1, 1, 1, 3], [-3, 1, 5]);
    expect(numbers(node, [values, filter, float32([1], [2])])).toEqual([0, 3, 6]);
  });

  it("rounds to f32 once, so terms that f32 would lose are kept", () => {
    const terms = float32([1, 3, 1, 1], [2 ** 30, 1, -(2 ** 30)]);
    const filter = float32([1, 3, 1, 1], [1, 1, 1]);
    expect(numbers({ ...conv, kernel: [1, 1] }, [terms, filter])).toEqual([1]);
  });

  it("gives nothing for an empty batch", () => {
    const filter = float32([1, 1, 2, 2], [1, 1, 1, 1]);
    expect(run(conv, [float32([0, 1, 3, 3], []), filter]).shape).toEqual([0, 1, 2, 2]);
  });

  it("refuses a bias of the wrong length", () => {
    const filter = float32([1, 1, 2, 2], [1, 1, 1, 1]);
    expect(() => run(conv, [x, filter, float32([2], [0, 0])])).toThrowErrorMatchingInlineSnapshot(
      `[InputError: Conv "node": per-channel operands need 1 elements; got [2]. Check the model file; its shapes contradict each other.]`,
    );
  });

  it("refuses a kernel attribute that contradicts the filter", () => {
    const filter = float32([1, 1, 1, 1], [1]);
    expect(() => run(conv, [x, filter])).toThrowErrorMatchingInlineSnapshot(
      `[InputError: Conv "node": kernel must be the filter's last axes [1, 1]; got [2, 2]. Check the model file; its shapes contradict each other.]`,
    );
  });
});
