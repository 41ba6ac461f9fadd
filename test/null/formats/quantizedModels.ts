// Small quantized files as other tools write them: QOperator, QDQ with its liberties, and what ONNX Runtime's
// dynamic quantizer makes. Each with inputs that ONNX Runtime can run.

import type { Tensor, Tensors } from "../../../src/tensor/tensor.ts";
import { float32, tensor } from "../../../src/tensor/tensor.ts";
import { float, longs, microsoft, node, scalar, tiny } from "./onnxModels.ts";
import { seeded } from "./typedGraphs.ts";

const [FLOAT, UINT8, INT8, INT32] = [1, 2, 3, 6];

const u8 = (...values: number[]) =>
  tensor("uint8", values.length === 1 ? [] : [values.length], Uint8Array.from(values));
const i8 = (...values: number[]) =>
  tensor("int8", values.length === 1 ? [] : [values.length], Int8Array.from(values));

function filled<T extends Tensor>(make: (shape: readonly number[], values: number[]) => T) {
  return (seed: number, low: number, high: number, shape: readonly number[]): T => {
    const random = seeded(seed);
    const length = shape.reduce((product, size) => product * size, 1);
    return make(
      shape,
      Array.from({ length }, () => random(low, high)),
    );
  };
}

const bytes = filled((shape, values) => tensor("uint8", shape, Uint8Array.from(values)));
const signed = filled((shape, values) => tensor("int8", shape, Int8Array.from(values)));
const words = filled((shape, values) => tensor("int32", shape, Int32Array.from(values)));
const reals = filled((shape, values) =>
  float32(
    shape,
    values.map((value) => value / 390.7),
  ),
);

export interface QuantizedFile {
  readonly bytes: Uint8Array;
  readonly feeds: Tensors;
}

/** x → Q → QLinearConv (per channel) → QLinearConv → QLinearAdd → QLinearMul → QLinearConcat → QLinearLeakyRelu →
 *  QLinearGlobalAveragePool → Flatten → QGemm → QLinearSigmoid → DQ → y. */
export function qOperator(): QuantizedFile {
  const pads = { pads: [1, 1, 1, 1] };
  const x = ["xq", "xs", "xz"];
  const [a, b] = [
    ["a", "as", "az"],
    ["b", "bs", "bz"],
  ] as const;
  return {
    feeds: { x: reals(5, -1000, 1000, [2, 3, 6, 6]) },
    bytes: tiny({
      inputs: { x: [2, 3, 6, 6] },
      nodes: [
        node("QuantizeLinear", ["x", "xs", "xz"], ["xq"]),
        node("QLinearConv", [...x, "w", "ws", "wz", "as", "az", "c"], ["a"], pads),
        node("QLinearConv", [...a, "v", "vs", "vz", "bs", "bz"], ["b"], { ...pads, group: 2 }),
        microsoft("QLinearAdd", [...a, ...b, "ss", "sz"], ["s"]),
        microsoft("QLinearMul", ["s", "ss", "sz", ...b, "ms", "mz"], ["m"]),
        microsoft("QLinearConcat", ["ss", "sz", "m", "ms", "mz", ...a], ["j"], { axis: 1 }),
        microsoft("QLinearLeakyRelu", ["j", "ss", "sz", "ls", "lz"], ["l"], { alpha: float(0.25) }),
        microsoft("QLinearGlobalAveragePool", ["l", "ls", "lz", "ps", "pz"], ["p"]),
        node("Flatten", ["p"], ["f"], { axis: 1 }),
        microsoft("QGemm", ["f", "ps", "pz", "g", "gs", "gz", "h", "os", "oz"], ["o"], {
          transB: 1,
        }),
        microsoft("QLinearSigmoid", ["o", "os", "oz", "es", "ez"], ["e"]),
        node("DequantizeLinear", ["e", "es", "ez"], ["y"]),
      ],
      initializers: {
        xs: scalar(0.021),
        xz: u8(121),
        w: signed(1, -127, 127, [4, 3, 3, 3]),
        ws: float32([4], [0.011, 0.007, 0.013, 0.009]),
        wz: i8(0, 0, 0, 0),
        c: words(2, -3000, 3000, [4]),
        as: scalar(0.043),
        az: u8(128),
        v: bytes(3, 60, 200, [4, 2, 3, 3]),
        vs: scalar(0.0171),
        vz: u8(128),
        bs: scalar(0.0311),
        bz: u8(117),
        ss: scalar(0.0523),
        sz: u8(126),
        ms: scalar(0.0912),
        mz: u8(100),
        ls: scalar(0.0412),
        lz: u8(66),
        ps: scalar(0.0123),
        pz: u8(62),
        g: signed(4, -127, 127, [5, 8]),
        gs: scalar(0.0134),
        gz: i8(0),
        h: words(5, -2000, 2000, [5]),
        os: scalar(0.0271),
        oz: u8(119),
        es: scalar(1 / 256),
        ez: u8(0),
      },
    }),
  };
}

/** QDQ with liberties: one weight under two scales, a Relu and a Clip before QuantizeLinear, a float bias, no
 *  zero point, a value read under other parameters than it was written with, uint8 weights with a zero point
 *  that is not 128, and bytes as input and output. */
export function qdq(): QuantizedFile {
  return {
    feeds: { q: bytes(9, 0, 255, [1, 2, 5, 5]) },
    bytes: tiny({
      inputs: { q: [1, 2, 5, 5] },
      types: { q: UINT8!, y: INT8! },
      nodes: [
        node("DequantizeLinear", ["q", "s", "z"], ["x"]),
        node("DequantizeLinear", ["w", "s1"], ["w1"]),
        node("DequantizeLinear", ["w", "s2"], ["w2"]),
        node("Conv", ["x", "w1", "bias"], ["a"], { pads: [1, 1, 1, 1] }),
        node("Relu", ["a"], ["ar"]),
        node("QuantizeLinear", ["ar", "as"], ["aq"]),
        node("DequantizeLinear", ["aq", "as"], ["ad"]),
        node("Conv", ["ad", "w2"], ["b"]),
        node("Clip", ["b", "zero", "six"], ["bc"]),
        node("QuantizeLinear", ["bc", "bs", "bz"], ["bq"]),
        // The same bytes under another scale, as two quantizers that were not merged leave them.
        node("DequantizeLinear", ["bq", "cs", "cz"], ["bd"]),
        node("DequantizeLinear", ["u", "us", "uz"], ["ud"]),
        node("Conv", ["bd", "ud"], ["c"]),
        node("QuantizeLinear", ["c", "ys", "yz"], ["y"]),
      ],
      initializers: {
        s: scalar(0.0173),
        z: u8(127),
        w: signed(21, -127, 127, [2, 2, 3, 3]),
        s1: scalar(0.0123),
        s2: scalar(0.0171),
        bias: float32([2], [0.31, -0.27]),
        as: scalar(0.0412),
        bs: scalar(0.0235),
        bz: u8(0),
        cs: scalar(0.05),
        cz: u8(7),
        u: bytes(23, 10, 250, [3, 2, 1, 1]),
        us: scalar(0.0071),
        uz: u8(131),
        ys: scalar(0.071),
        yz: i8(-3),
        zero: scalar(0),
        six: scalar(6),
      },
    }),
  };
}

/** What ONNX Runtime's dynamic quantizer writes: DynamicQuantizeLinear → ConvInteger → Cast → Mul → Add, then
 *  the same with MatMulInteger. */
export function dynamic(): QuantizedFile {
  return {
    feeds: { x: reals(31, -1000, 700, [1, 3, 5, 5]) },
    bytes: tiny({
      inputs: { x: [1, 3, 5, 5] },
      nodes: [
        node("DynamicQuantizeLinear", ["x"], ["q", "s", "z"]),
        node("ConvInteger", ["q", "w", "z", "wz"], ["acc"], { pads: [1, 1, 1, 1] }),
        node("Cast", ["acc"], ["accf"], { to: FLOAT! }),
        node("Mul", ["s", "ws"], ["sw"]),
        node("Mul", ["accf", "sw"], ["a"]),
        node("Add", ["a", "b"], ["ab"]),
        node("Relu", ["ab"], ["r"]),
        node("Reshape", ["r", "rows"], ["m"]),
        node("DynamicQuantizeLinear", ["m"], ["mq", "ms", "mz"]),
        node("MatMulInteger", ["mq", "v", "mz", "vz"], ["mm"]),
        node("Cast", ["mm"], ["mmf"], { to: FLOAT! }),
        node("Mul", ["ms", "vs"], ["sv"]),
        node("Mul", ["mmf", "sv"], ["y"]),
      ],
      initializers: {
        w: bytes(33, 0, 255, [4, 3, 3, 3]),
        wz: u8(117),
        ws: scalar(0.0093),
        b: float32([1, 4, 1, 1], [0.5, -0.25, 0.1, 0]),
        rows: longs(4, 25),
        v: signed(35, -128, 127, [25, 3]),
        vz: i8(0),
        vs: scalar(0.0071),
      },
    }),
  };
}

/** Integers as they are: both products with int32 outputs, and a dequantized one. */
export function integers(): QuantizedFile {
  return {
    feeds: { q: signed(41, -128, 127, [3, 6]) },
    bytes: tiny({
      inputs: { q: [3, 6] },
      outputs: ["acc", "y"],
      types: { q: INT8!, acc: INT32! },
      nodes: [
        node("MatMulInteger", ["q", "v", "qz", "vz"], ["acc"]),
        node("DequantizeLinear", ["acc", "s"], ["y"]),
      ],
      initializers: {
        v: signed(43, -128, 127, [6, 5]),
        qz: i8(-5),
        vz: i8(3),
        s: scalar(0.0031),
      },
    }),
  };
}

export const quantizedFiles = { qOperator, qdq, dynamic, integers };
