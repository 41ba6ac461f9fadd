// No op falls off a cliff unseen: ops and forms over a sweep of sizes, timed in one run, each against the best of its
// family: products by multiply-accumulates, everything else by bytes read and written. Ratios are printed, and
// those beyond the limit by name; a ratio far beyond it fails.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { macsOf } from "../../src/graph/macs.ts";
import { onnxRule } from "../../src/graph/dynamic.ts";
import type { QParams } from "../../src/graph/value.ts";
import { bindShapes } from "../../src/graph/bind.ts";
import type { Device } from "../../src/gpu/device.ts";
import { profile } from "../../src/profile.ts";
import { Session } from "../../src/session.ts";
import { sizeOf, tensor } from "../../src/tensor/tensor.ts";
import { single, type Attributes, type Case, type Operand } from "../support/cases.ts";
import { codes, floats } from "../support/seeded.ts";
import { testDevice } from "../support/device.ts";

/** Times the best of a family from which on a form is named an outlier, and from which on the test fails. */
const NAMED = 6;
const CLIFF = 40;
const REPEATS = 3;

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});
afterAll(() => device.dispose());

const quant = (scale: number, zero: number, dtype: "int8" | "uint8" = "uint8"): QParams => ({
  dtype,
  scale: Float32Array.of(scale),
  zeroPoint: Int32Array.of(zero),
});

const float = (shape: readonly number[], constant = false): Operand => ({
  tensor: floats(shape, 1),
  constant,
});
const bytes = (
  shape: readonly number[],
  zero = 128,
  constant = false,
  dtype: "int8" | "uint8" = "uint8",
): Operand => ({ tensor: codes(dtype, shape, 2), quant: quant(0.05, zero, dtype), constant });
const plain = (shape: readonly number[], constant: boolean): Operand => ({
  tensor: codes("uint8", shape, 3),
  constant,
});

type Forms = Readonly<Record<string, () => Case>>;

/** A product in all its forms. */
function forms(attributes: Attributes, x: readonly number[], w: readonly number[]): Forms {
  const to = quant(4, 120);
  const zero = (code: number): Operand => ({
    tensor: tensor("uint8", [], Uint8Array.of(code)),
    constant: true,
  });
  const integer = attributes.op === "Conv" ? "ConvInteger" : "MatMulInteger";
  return {
    float: () => single(attributes, [float(x), float(w, true)]),
    int8: () => single(attributes, [bytes(x), bytes(w, 0, true, "int8")], to),
    "zero point": () => single(attributes, [bytes(x), bytes(w, 77, true)], to),
    accumulator: () =>
      single({ ...attributes, op: integer } as Attributes, [
        plain(x, false),
        plain(w, true),
        zero(131),
        zero(77),
      ]),
  };
}

const window = (kernel: number, group: number, stride = 1): Attributes => {
  const pad = Math.floor(kernel / 2);
  return {
    op: "Conv",
    kernel: [kernel, kernel],
    strides: [stride, stride],
    dilations: [1, 1],
    pads: [pad, pad, pad, pad],
    group,
  };
};

const families: readonly { readonly name: string; readonly cases: Forms }[] = [
  {
    name: "Conv 3 × 3, 32 → 32 at 28",
    cases: forms(window(3, 1), [1, 32, 28, 28], [32, 32, 3, 3]),
  },
  {
    name: "Conv 1 × 1, 96 → 24 at 28",
    cases: forms(window(1, 1), [1, 96, 28, 28], [24, 96, 1, 1]),
  },
  { name: "Conv 3 × 3, 13 → 7 at 31", cases: forms(window(3, 1), [1, 13, 31, 31], [7, 13, 3, 3]) },
  {
    name: "Conv 3 × 3, 4 groups of 16",
    cases: forms(window(3, 4), [1, 64, 28, 28], [64, 16, 3, 3]),
  },
  {
    name: "depthwise 3 × 3, 96 at 56",
    cases: forms(window(3, 96), [1, 96, 56, 56], [96, 1, 3, 3]),
  },
  {
    name: "depthwise 5 × 5, 37 at 29, stride 2",
    cases: forms(window(5, 37, 2), [1, 37, 29, 29], [37, 1, 5, 5]),
  },
  ...[
    [64, 256],
    [4, 8, 256],
    [2, 8, 4, 256],
  ].map((x) => ({
    name: `MatMul [${x.join(", ")}] · [256, 192]`,
    cases: forms({ op: "MatMul" }, x, [256, 192]),
  })),
  {
    name: "by bytes, 1.2 M elements",
    cases: Object.fromEntries(
      (
        [
          ["Relu", { op: "Relu" }],
          ["Sigmoid", { op: "Sigmoid" }],
          ["Transpose last axis", { op: "Transpose", perm: [0, 2, 3, 1] }],
          ["Slice", { op: "Slice", axes: [3], starts: [1], ends: [111], steps: [1] }],
          ["Pad", { op: "Pad", pads: [0, 0, 1, 1, 0, 0, 1, 1], value: 0 }],
          ["Softmax axis 3", { op: "Softmax", axis: 3 }],
          ["ReduceMean axes 2, 3", { op: "ReduceMean", axes: [2, 3], keepdims: true }],
          ["ReduceMean axis 1", { op: "ReduceMean", axes: [1], keepdims: true }],
          ["ReduceMax axis 3", { op: "ReduceMax", axes: [3], keepdims: false }],
        ] as const
      ).map(([name, attributes]) => [
        name,
        () => single(attributes as Attributes, [float([1, 96, 112, 112])]),
      ]),
    ),
  },
  {
    name: "by bytes, DynamicQuantizeLinear of 1.2 M elements",
    cases: {
      Relu: () => single({ op: "Relu" }, [float([1, 96, 112, 112])]),
      DynamicQuantizeLinear: () =>
        single(
          { op: "DynamicQuantizeLinear", ...onnxRule },
          [float([1, 96, 112, 112])],
          undefined,
          3,
        ),
    },
  },
];

/** ns a multiply-accumulate, or a byte, of what belongs to the node: borders are not counted. */
async function costOf({ graph, feeds }: Case): Promise<number> {
  using session = new Session(graph, device);
  const { steps } = await profile(session, feeds, { repeats: REPEATS });
  const ms = steps.reduce((sum, { node, ms: one }) => sum + (node === "node" ? one : 0), 0);
  const bound = bindShapes(graph, new Map());
  const [node] = bound.nodes;
  const macs = macsOf(bound, node!);
  const elements = [...node!.inputs, ...node!.outputs].map((name) =>
    sizeOf(bound.values.get(name)!.shape as readonly number[]),
  );
  return (ms * 1e6) / (macs || 4 * elements.reduce((sum, size) => sum + size, 0));
}

describe.each(families)("$name", ({ cases }) => {
  it("has no form that is far slower than its best", async () => {
    const costs: [string, number][] = [];
    for (const [form, make] of Object.entries(cases)) costs.push([form, await costOf(make())]);
    const best = Math.min(...costs.map(([, cost]) => cost));
    for (const [form, cost] of costs) {
      const ratio = cost / best;
      const mark = ratio > NAMED ? `  OUTLIER: more than ${NAMED} ×` : "";
      console.log(
        `  ${form.padEnd(24)} ${cost.toFixed(2).padStart(9)} ns  ${ratio.toFixed(1).padStart(6)} ×${mark}`,
      );
    }
    const cliffs = costs.filter(([, cost]) => cost > CLIFF * best).map(([form]) => form);
    expect(cliffs).toEqual([]);
  });
});
