// What quantized files may say, and how they are refused: in words, with the node's name.

import { describe, expect, it } from "vitest";
import { importOnnx } from "../../../src/formats/onnx/import.ts";
import { float32, tensor } from "../../../src/tensor/tensor.ts";
import { floats, imported, longs, messageOf, microsoft, node, scalar, tiny } from "./onnxModels.ts";

const u8 = (...values: number[]) => tensor("uint8", [values.length], Uint8Array.from(values));
const params = { s: scalar(0.5), z: u8(3), t: scalar(0.25), w: tensor("int8", [4, 3]) };
const UINT8 = 2;

describe("constants given when loading", () => {
  const bytes = tiny({
    nodes: [node("Reshape", ["x", "shape"])],
    inputs: { x: [2, 6], shape: [2] },
    types: { shape: 7 },
  });

  it("take the place of inputs", () => {
    const graph = importOnnx(bytes, { constants: { shape: longs(3, 4) } });
    expect(graph.inputs).toEqual(["x"]);
    expect(graph.values.get("y")?.shape).toEqual([3, 4]);
  });

  it("must be inputs of the file, of the type it states", () => {
    expect(
      messageOf(() => importOnnx(bytes, { constants: { size: longs(3, 4) } })),
    ).toMatchInlineSnapshot(
      `"InputError: constants: the model has no input "size"; got inputs x, shape. Leave it out."`,
    );
    expect(
      messageOf(() => importOnnx(bytes, { constants: { shape: floats([2]) } })),
    ).toMatchInlineSnapshot(
      `"InputError: constants: "shape" must be INT64[2]; got float32[2]. Convert the data."`,
    );
    expect(
      messageOf(() => importOnnx(bytes, { constants: { shape: longs(12) } })),
    ).toMatchInlineSnapshot(
      `"InputError: constants: "shape" must be INT64[2]; got int64[1]. Convert the data."`,
    );
  });

  it("are what an input of another type may be made: as an input it is refused by name", () => {
    expect(messageOf(() => importOnnx(bytes))).toMatchInlineSnapshot(`
      "UnsupportedError: import: 1 unsupported node(s):
        Reshape "Reshape_0": the target shape must be known at import; got an input; give it when loading: load(bytes, { constants: { "shape": tensor } })
      Export the model without these, or replace them before import (README: supported ONNX ops)."
    `);
  });
});

describe("quantized nodes become", () => {
  it("a Cast, a Dequantize, the op and a Quantize", () => {
    const parts = {
      nodes: [microsoft("QLinearSigmoid", ["x", "s", "z", "t", "z"], ["y"])],
      inputs: { x: [2] },
      types: { x: UINT8, y: UINT8 },
      initializers: params,
    };
    expect(imported(parts)).toMatchInlineSnapshot(`
      [
        "x_cast: uint8[2]·(0.5000, 3) = Cast(x) to="uint8"",
        "x_cast_float: float32[2] = Dequantize(x_cast)",
        "y_float: float32[2] = Sigmoid(x_cast_float)",
        "y: uint8[2]·(0.2500, 3) = Quantize(y_float)",
      ]
    `);
  });

  it("float arithmetic where their parameters are computed", () => {
    const parts = {
      nodes: [
        node("DynamicQuantizeLinear", ["x"], ["q", "qs", "qz"]),
        node("DequantizeLinear", ["q", "qs", "qz"]),
      ],
      inputs: { x: [2] },
    };
    expect(imported(parts)).toMatchInlineSnapshot(`
      [
        "q: uint8[2], qs: float32[], qz: uint8[] = DynamicQuantizeLinear(x) rule="onnx" granularity="perTensor" dtype="uint8" reduceRange=false",
        "q_float: float32[2] = Cast(q) to="float32"",
        "qz_float: float32[] = Cast(qz) to="float32"",
        "y_shifted: float32[2] = Sub(q_float, qz_float)",
        "y: float32[2] = Mul(y_shifted, qs)",
      ]
    `);
  });

  it("a Clip of bytes in the bytes' own units", () => {
    const parts = {
      nodes: [
        node("QuantizeLinear", ["x", "s", "z"], ["q"]),
        node("Clip", ["q", "three"], ["c"]),
        node("DequantizeLinear", ["c", "s", "z"]),
      ],
      inputs: { x: [2] },
      initializers: { ...params, three: tensor("uint8", [], Uint8Array.of(3)) },
    };
    expect(imported(parts)).toMatchInlineSnapshot(`
      [
        "q: uint8[2]·(0.5000, 3) = Quantize(x)",
        "q_cast: uint8[2] = Cast(q) to="uint8"",
        "c: uint8[2] = Clip(q_cast) low=3 high=null",
        "c_cast: uint8[2]·(0.5000, 3) = Cast(c) to="uint8"",
        "y: float32[2] = Dequantize(c_cast)",
      ]
    `);
  });
});

describe("is refused in words:", () => {
  const refusal = (...nodes: ReturnType<typeof node>[]) =>
    messageOf(() =>
      importOnnx(
        tiny({
          nodes,
          inputs: { x: [2, 4], q: [2, 4] },
          types: { q: UINT8, y: UINT8 },
          initializers: { ...params, two: float32([2], [0.5, 0.25]), zz: u8(1, 2) },
        }),
      ),
    );

  it.each([
    [
      "an op nobody knows",
      'QLinearWhere "QLinearWhere_0": this op is not supported',
      microsoft("QLinearWhere", ["q"]),
    ],
    [
      "another domain",
      'QLinearAdd "QLinearAdd_0": domain "org.example" is not supported',
      node("QLinearAdd", ["q"], ["y"], {}, { domain: "org.example" }),
    ],
    [
      "channels last",
      'QLinearGlobalAveragePool "QLinearGlobalAveragePool_0": channels_last is not supported',

      microsoft("QLinearGlobalAveragePool", ["q", "s", "z", "t", "z"], ["y"], { channels_last: 1 }),
    ],
    [
      "an activation with two scales",
      'QLinearSigmoid "QLinearSigmoid_0": an activation must have one scale; got 2',
      microsoft("QLinearSigmoid", ["q", "two", "zz", "t", "z"]),
    ],
    [
      "weights that are computed",
      'MatMulInteger "MatMulInteger_0": the weight must be known at import; got a value computed at run time',
      node("MatMulInteger", ["q", "q"]),
    ],
    [
      "blocks",
      'QuantizeLinear "y": since opset 13 its attributes are axis; got block_size',
      node("QuantizeLinear", ["x", "s", "z"], ["y"], { block_size: 2 }),
    ],
    [
      "a Concat without whole parts",
      'QLinearConcat "QLinearConcat_0": it takes 2 inputs and 3 for each part; got 6',

      microsoft("QLinearConcat", ["s", "z", "q", "s", "z", "q"], ["y"], { axis: 0 }),
    ],
    [
      "a zero point of another dtype",
      'DequantizeLinear "y": inputs must share one dtype; got INT8 and UINT8',
      node("DequantizeLinear", ["w", "s", "z"]),
    ],
    [
      "a function of bytes",
      'Tanh "y": input 0 must be of type FLOAT, FLOAT16, DOUBLE, BFLOAT16 in this opset; got UINT8',
      node("Tanh", ["q"]),
    ],
  ])("%s", (_, words, refused) => {
    expect(refusal(refused)).toContain(words);
  });
});
