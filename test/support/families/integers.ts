// Plain integers: products that keep their accumulator, casts, movements, quantization with parameters from
// the data, and quantization per slice. Everything is equal bit for bit.

import fc from "fast-check";
import { GraphBuilder } from "../../../src/graph/builder.ts";
import type { DynamicRule } from "../../../src/graph/dynamic.ts";
import type { QParams } from "../../../src/graph/value.ts";
import type { DType } from "../../../src/tensor/dtype.ts";
import { tensor, type Tensor } from "../../../src/tensor/tensor.ts";
import { dim, family, seed, single, size, type Case, type Family } from "../cases.ts";
import { codes, floats, integers, steps } from "../seeded.ts";

const bytes = fc.constantFrom("int8" as const, "uint8" as const);

/** Zero points: both ends and the middle, so that weights fit int8 in some cases and not in others. */
const zeros = fc.constantFrom(0, 1, 100, 128, 255);

function zero(dtype: "int8" | "uint8", code: number, count = 0): Tensor {
  const length = Math.max(1, count);
  const values = Array.from({ length }, (_, at) => (code + 7 * at) % 256);
  const data = dtype === "int8" ? Int8Array.from(values, (q) => q - 128) : Uint8Array.from(values);
  return tensor(dtype, count === 0 ? [] : [count], data);
}

const operands = {
  xType: bytes,
  wType: bytes,
  xZero: zeros,
  wZero: zeros,
  perChannel: fc.boolean(),
  /** The zero point of x is computed, or known when the kernel is made. */
  dynamic: fc.boolean(),
  seed,
};

const matmulInteger = family(
  "MatMulInteger equals the reference bit for bit",
  fc.record({
    leading: fc.constantFrom([], [1], [3], [3, 2], [2, 1, 3]),
    m: dim,
    k: fc.constantFrom(1, 3, 4, 5, 9, 1100),
    n: size,
    ...operands,
  }),
  ({ leading, m, k, n, xType, wType, xZero, wZero, perChannel, dynamic, seed: from }) => {
    const shape = leading.length === 1 && leading[0] === 1 ? [m, k] : [...leading, m, k];
    return single({ op: "MatMulInteger" }, [
      { tensor: codes(xType, shape, from) },
      { tensor: codes(wType, [k, n], from + 1), constant: true },
      { tensor: zero(xType, xZero), constant: !dynamic },
      { tensor: zero(wType, wZero, perChannel ? n : 0), constant: true },
    ]);
  },
);

const convInteger = family(
  "ConvInteger equals the reference bit for bit",
  fc.record({
    group: fc.constantFrom(1, 2, 3),
    perGroup: fc.constantFrom(1, 2, 4, 5),
    outs: fc.constantFrom(1, 2, 4, 5),
    batch: fc.constantFrom(1, 2),
    kernel: fc.tuple(fc.constantFrom(1, 2, 3), fc.constantFrom(1, 3)),
    strides: fc.tuple(fc.constantFrom(1, 2), fc.constantFrom(1, 2)),
    dilations: fc.tuple(fc.constantFrom(1, 2), fc.constantFrom(1, 2)),
    pads: fc.tuple(fc.nat(2), fc.nat(2), fc.nat(2), fc.nat(2)),
    extra: fc.tuple(fc.nat(4), fc.nat(4)),
    ...operands,
  }),
  ({ group, perGroup, outs, batch, kernel, extra, ...rest }) => {
    const { strides, dilations, pads, xType, wType, xZero, wZero, perChannel, dynamic } = rest;
    const extent = ([0, 1] as const).map((axis) => dilations[axis] * (kernel[axis] - 1) + 1);
    const sizes = extent.map((each, axis) => each + (extra[axis] ?? 0));
    const window = { kernel, strides, dilations, pads };
    return single({ op: "ConvInteger", group, ...window }, [
      { tensor: codes(xType, [batch, group * perGroup, ...sizes], rest.seed) },
      { tensor: codes(wType, [group * outs, perGroup, ...kernel], rest.seed + 1), constant: true },
      { tensor: zero(xType, xZero), constant: !dynamic },
      { tensor: zero(wType, wZero, perChannel ? group * outs : 0), constant: true },
    ]);
  },
);

/** Every way that depthwise windows are lowered: tiles and pixels, words that are not whole. */
const depthwiseInteger = family(
  "ConvInteger of one channel a group equals the reference bit for bit",
  fc.record({
    group: fc.constantFrom(2, 3, 4, 5, 8, 9, 16),
    batch: fc.constantFrom(1, 2),
    kernel: fc.tuple(fc.constantFrom(1, 3, 5), fc.constantFrom(1, 3, 8)),
    strides: fc.tuple(fc.constantFrom(1, 2), fc.constantFrom(1, 2)),
    dilations: fc.constantFrom<[number, number]>([1, 1], [1, 1], [2, 1], [2, 3]),
    pads: fc.tuple(fc.nat(2), fc.nat(2), fc.nat(2), fc.nat(2)),
    extra: fc.tuple(fc.nat(9), fc.nat(9)),
    ...operands,
  }),
  ({ group, batch, kernel, extra, ...rest }) => {
    const { strides, dilations, pads, xType, wType, xZero, wZero, perChannel, dynamic } = rest;
    const extent = ([0, 1] as const).map((axis) => dilations[axis] * (kernel[axis] - 1) + 1);
    const sizes = extent.map((each, axis) => each + (extra[axis] ?? 0));
    return single({ op: "ConvInteger", group, kernel, strides, dilations, pads }, [
      { tensor: codes(xType, [batch, group, ...sizes], rest.seed) },
      { tensor: codes(wType, [group, 1, ...kernel], rest.seed + 1), constant: true },
      { tensor: zero(xType, xZero), constant: !dynamic },
      { tensor: zero(wType, wZero, perChannel ? group : 0), constant: true },
    ]);
  },
);

const shapes = fc.array(fc.constantFrom(1, 2, 3, 4, 5, 7), { maxLength: 5 });

/** Elements of any kind: int32 near both ends too, where f32 rounds. */
function elements(dtype: DType, shape: readonly number[], from: number): Tensor {
  if (dtype === "int8" || dtype === "uint8") return codes(dtype, shape, from);
  if (dtype === "float32") return floats(shape, from, 3e9);
  const count = shape.reduce((product, each) => product * each, 1);
  const span = from % 2 === 0 ? 300 : 2 ** 31 - 1;
  return tensor("int32", shape, integers(count, from, span));
}

const cast = family(
  "Cast between float32, int32 and bytes equals the reference bit for bit",
  fc.record({
    from: fc.constantFrom("float32" as const, "int32" as const, "int8" as const, "uint8" as const),
    to: fc.constantFrom("float32" as const, "int32" as const),
    shape: shapes,
    seed,
  }),
  ({ from, to, shape, seed: start }) =>
    single({ op: "Cast", to }, [{ tensor: elements(from, shape, start) }]),
  { tolerance: 0 },
);

/** The output of a movement of plain integers has their dtype: `single` gives it the first operand's. */
const move = family(
  "plain integers move unchanged",
  fc.record({
    dtype: fc.constantFrom("int32" as const, "int8" as const, "uint8" as const),
    shape: fc.array(fc.constantFrom(1, 2, 3, 4, 5), { minLength: 2, maxLength: 4 }),
    how: fc.constantFrom("Transpose", "Pad", "Concat", "Reshape", "Slice"),
    seed,
  }),
  ({ dtype, shape, how, seed: from }) => {
    const x = { tensor: elements(dtype, shape, from) };
    const axes = shape.map((_, axis) => axis);
    if (how === "Transpose") return single({ op: how, perm: axes.toReversed() }, [x]);
    if (how === "Pad") {
      const pads = [...shape.map(() => 1), ...shape.map((_, axis) => axis)];
      return single({ op: how, pads, value: 3 }, [x]);
    }
    if (how === "Reshape") return single({ op: how, shape: [-1] }, [x]);
    if (how === "Slice") {
      const [starts, ends, by] = [shape.map(() => -1), shape.map(() => -99), shape.map(() => -2)];
      return single({ op: how, axes, starts, ends, steps: by }, [x]);
    }
    const y = { tensor: elements(dtype, shape, from + 1) };
    return single({ op: "Concat", axis: shape.length - 1 }, [x, y]);
  },
);

const maxPool = family(
  "MaxPool of plain bytes equals the reference",
  fc.record({ dtype: bytes, channels: size, height: size, width: size, seed }),
  ({ dtype, channels, height, width, seed: from }) =>
    single(
      {
        op: "MaxPool",
        kernel: [2, 3],
        strides: [1, 2],
        dilations: [1, 1],
        pads: [1, 1, 0, 1],
        ceilMode: false,
      },
      [{ tensor: codes(dtype, [2, channels, height, width], from) }],
    ),
);

const clipBytes = family(
  "Clip of plain bytes equals the reference",
  fc.record({ dtype: bytes, shape: shapes, seed }),
  ({ dtype, shape, seed: from }) =>
    single({ op: "Clip", low: -Infinity, high: 37 }, [{ tensor: codes(dtype, shape, from) }]),
);

/** x, and all three outputs. */
function dynamicCase(x: Tensor, rule: DynamicRule): Case {
  const builder = new GraphBuilder();
  builder.input("x", { dtype: "float32", shape: x.shape });
  const outputs = ["q", "scale", "zero"];
  builder.add({ op: "DynamicQuantizeLinear", name: "node", inputs: ["x"], outputs, ...rule });
  return { graph: builder.build("dynamic", ["x"], outputs), feeds: { x } };
}

export const dynamicRule: fc.Arbitrary<DynamicRule> = fc.record({
  rule: fc.constantFrom("onnx" as const, "torch" as const),
  granularity: fc.constantFrom("perTensor" as const, "perToken" as const),
  dtype: bytes,
  reduceRange: fc.boolean(),
});

const dynamicQuantize = family(
  "DynamicQuantizeLinear equals the reference bit for bit",
  fc.record({
    shape: fc.oneof(
      { weight: 9, arbitrary: fc.array(size, { minLength: 1, maxLength: 4 }) },
      { weight: 1, arbitrary: fc.constant([3, 40, 41, 5]) },
    ),
    span: fc.constantFrom(1e-6, 0.3, 1, 127.5, 4e7),
    shift: fc.constantFrom(-1, -0.25, 0, 0.5, 1),
    ties: fc.boolean(),
    rule: dynamicRule,
    seed,
  }),
  ({ shape, span, shift, ties, rule, seed: from }) => {
    // Multiples of half a scale, with both ends of the range among them: every other one is a tie.
    const x = ties ? steps(shape, from, 0.25, 255) : floats(shape, from, span);
    const moved = x.data.map((value) => value + shift * (ties ? 64 : span));
    return dynamicCase(tensor("float32", shape, moved), rule);
  },
  { tolerance: 0 },
);

const perAxis = fc.record({
  dtype: bytes,
  shape: fc.array(size, { minLength: 1, maxLength: 4 }),
  at: fc.nat(3),
  seed,
});

function sliceQuant({
  dtype,
  shape,
  at,
  seed: from,
}: {
  dtype: "int8" | "uint8";
  shape: readonly number[];
  at: number;
  seed: number;
}): QParams {
  const axis = at % shape.length;
  const count = shape[axis] ?? 1;
  const scale = floats([count], from + 9).data.map((value) => 0.01 + Math.abs(value) * 0.05);
  const zeroPoint = Int32Array.from(
    { length: count },
    (_, c) => ((from + 37 * c) % 256) - (dtype === "int8" ? 128 : 0),
  );
  return { dtype, scale, zeroPoint, axis };
}

const quantizePerAxis = family(
  "Quantize per slice of an axis equals the reference bit for bit",
  perAxis,
  (parameters) =>
    single(
      { op: "Quantize" },
      [{ tensor: floats(parameters.shape, parameters.seed, 5) }],
      sliceQuant(parameters),
    ),
);

const dequantizePerAxis = family(
  "Dequantize per slice of an axis equals the reference bit for bit",
  perAxis,
  (parameters) => {
    const { dtype, shape, seed: from } = parameters;
    const x = { tensor: codes(dtype, shape, from), quant: sliceQuant(parameters) };
    return single({ op: "Dequantize" }, [x], "float32");
  },
  { tolerance: 0 },
);

export const integerOps: readonly Family[] = [
  matmulInteger,
  convInteger,
  depthwiseInteger,
  cast,
  move,
  maxPool,
  clipBytes,
  dynamicQuantize,
  quantizePerAxis,
  dequantizePerAxis,
];
