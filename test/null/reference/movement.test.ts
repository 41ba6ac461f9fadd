// Movement ops: which element lands where; ONNX.

import { describe, expect, it } from "vitest";
import { float32, tensor } from "../../../src/tensor/tensor.ts";
import { counting, numbers, run, runAll } from "./support.ts";

const x = counting([2, 3]); // 1 2 3 / 4 5 6

describe("reshaping keeps the order of elements", () => {
  it.each([
    { node: { op: "Flatten", axis: 2 } as const, shape: [2, 3] },
    { node: { op: "Reshape", shape: [0, -1, 1] } as const, shape: [2, 3, 1] },
    { node: { op: "Unsqueeze", axes: [0, 3] } as const, shape: [1, 2, 1, 1, 3] },
    { node: { op: "Squeeze", axes: [1] } as const, shape: [2, 3] },
  ])("$node.op", ({ node, shape }) => {
    const out = run(node, [counting([2, 1, 3])]);
    expect(out.shape).toEqual(shape);
    expect([...out.data]).toEqual([1, 2, 3, 4, 5, 6]);
  });
});

describe("Transpose", () => {
  it("puts input axis perm[i] at output axis i", () => {
    const out = run({ op: "Transpose", perm: [2, 0, 1] }, [counting([1, 2, 3])]);
    expect(out.shape).toEqual([3, 1, 2]);
    expect([...out.data]).toEqual([1, 4, 2, 5, 3, 6]);
  });
});

describe("Concat", () => {
  it("joins along its axis", () => {
    const y = float32([2, 1], [10, 20]);
    expect(numbers({ op: "Concat", axis: 1 }, [x, y])).toEqual([1, 2, 3, 10, 4, 5, 6, 20]);
  });

  it("takes empty parts", () => {
    expect(numbers({ op: "Concat", axis: 1 }, [float32([2, 0], []), x])).toEqual([
      1, 2, 3, 4, 5, 6,
    ]);
  });

  it("refuses parts of different dtypes", () => {
    const other = tensor("int32", [2, 1], Int32Array.of(1, 2));
    expect(() => run({ op: "Concat", axis: 1 }, [x, other])).toThrowErrorMatchingInlineSnapshot(
      `[InputError: Concat "node": inputs must have one dtype; got float32 and int32. Insert a Cast, or a Quantize or Dequantize.]`,
    );
  });
});

describe("Pad", () => {
  it("reads pads as begins of all axes, then ends", () => {
    const out = run({ op: "Pad", pads: [1, 0, 0, 2], value: 9 }, [x]);
    expect(out.shape).toEqual([3, 5]);
    expect([...out.data]).toEqual([9, 9, 9, 9, 9, 1, 2, 3, 9, 9, 4, 5, 6, 9, 9]);
  });

  it("crops with negative pads", () => {
    expect(numbers({ op: "Pad", pads: [0, -1, 0, -1], value: 0 }, [x])).toEqual([2, 5]);
  });
});

describe("Slice", () => {
  const slice = (axis: number, start: number, end: number, step: number) =>
    ({ op: "Slice", axes: [axis], starts: [start], ends: [end], steps: [step] }) as const;

  it.each([
    { node: slice(1, 1, 3, 1), expected: [2, 3, 5, 6] },
    { node: slice(1, -1, 99, 1), expected: [3, 6] },
    { node: slice(0, -99, -1, 1), expected: [1, 2, 3] },
    { node: slice(1, 0, 3, 2), expected: [1, 3, 4, 6] },
    { node: slice(1, -1, -99, -1), expected: [3, 2, 1, 6, 5, 4] },
    { node: slice(1, 2, 0, -2), expected: [3, 6] },
    { node: slice(1, 2, 1, 1), expected: [] },
  ])("$node.starts to $node.ends by $node.steps", ({ node, expected }) => {
    expect(numbers(node, [x])).toEqual(expected);
  });
});

describe("Split", () => {
  it("cuts the axis into the given sizes", () => {
    const parts = runAll({ op: "Split", axis: 1, sizes: [1, 2] }, [x], {}, ["a", "b"]);
    expect(parts.map((part) => [...part.data])).toEqual([
      [1, 4],
      [2, 3, 5, 6],
    ]);
  });
});

describe("other dtypes", () => {
  it("moves and pads int64", () => {
    const integers = tensor("int64", [2], BigInt64Array.of(5n, 6n));
    const out = run({ op: "Pad", pads: [1, 0], value: 7 }, [integers]);
    expect(out.data).toEqual(BigInt64Array.of(7n, 5n, 6n));
  });
});
