// Convolutions and linear layers, quantized and float. A quantized one becomes a typed node with the
// roundings of its engine, docs/quantization.md (30) and (31), where its weight is int8 around zero; any
// other stays float in sight, between Dequantize and Quantize.

import { quantizeBias } from "../../../../graph/arithmetic.ts";
import { onnxRule } from "../../../../graph/dynamic.ts";
import type { Clamp, Engine } from "../../../../graph/node.ts";
import type { QParams } from "../../../../graph/value.ts";
import { AccumulatorError, InputError } from "../../../../errors.ts";
import { fl } from "../../../../tensor/rounding.ts";
import { formatShape, tensor, type Tensor } from "../../../../tensor/tensor.ts";
import { turned } from "../../../../tensor/turned.ts";
import { StridedTensor } from "../../pickled.ts";
import type { Call } from "../call.ts";
import { Packed, Traced, type PackedWindow, type Thing } from "../values.ts";

type Pair = readonly [number, number];

/** A layer's product, without its operands. */
type Layer =
  | {
      readonly op: "Conv";
      readonly kernel: Pair;
      readonly strides: Pair;
      readonly dilations: Pair;
      readonly pads: readonly [number, number, number, number];
      readonly group: number;
    }
  | {
      readonly op: "Gemm";
      readonly alpha: 1;
      readonly beta: 1;
      readonly transA: false;
      readonly transB: true;
    };

const GEMM: Layer = { op: "Gemm", alpha: 1, beta: 1, transA: false, transB: true };

function convolution(call: Call, weight: StridedTensor, window: PackedWindow): Layer {
  if (weight.size.length !== 4) throw call.fail(`its weight must have 4 axes`);
  const { group } = window;
  const positive = [...window.strides, ...window.dilations, group];
  if (positive.some((value) => !(value >= 1)) || window.padding.some((value) => !(value >= 0))) {
    throw call.fail("its strides, dilations, padding and groups must be positive");
  }
  const [top, left] = call.twice(window.padding, [0, 0]);
  return {
    op: "Conv",
    kernel: [weight.size[2] ?? 1, weight.size[3] ?? 1],
    strides: call.twice(window.strides, [1, 1]),
    dilations: call.twice(window.dilations, [1, 1]),
    pads: [top, left, top, left],
    group,
  };
}

/** The bias as the engine keeps it: float for fbgemm, docs/quantization.md (30), else int32 in steps of
 *  sx · sw. Undefined where it does not fit that. */
function engineBias(
  bias: Tensor<"float32">,
  sx: number,
  weight: QParams,
  engine: Engine,
): { readonly data: Tensor; readonly quant?: QParams } | undefined {
  if (engine === "fbgemm") return { data: bias };
  try {
    const q = quantizeBias(bias.data, sx, weight.scale, engine);
    const steps = Float32Array.from(q, (_, c) =>
      fl(sx * (weight.scale[weight.scale.length === 1 ? 0 : c] ?? 1)),
    );
    const zeroPoint = new Int32Array(q.length);
    const quant = { dtype: "int32", scale: steps, zeroPoint, axis: 0 } as const;
    return { data: tensor("int32", [q.length], q), quant };
  } catch (error) {
    if (error instanceof AccumulatorError) return undefined;
    throw error;
  }
}

/** A layer on quantized input: integers where its weight allows it. */
function quantizedLayer(
  call: Call,
  layer: Layer,
  x: Traced,
  packed: Packed,
  to: QParams,
  clamp: Clamp,
) {
  const { translator } = call;
  const name = packed.path || call.label;
  const from = call.quantOf(x);
  const { tensor: data, quant } = translator.entry(packed.weight, `${name}.weight`);
  const bias = packed.bias ? translator.reals(packed.bias, `${name}.bias`) : undefined;
  const isInteger =
    quant?.dtype === "int8" &&
    quant.zeroPoint.every((zero) => zero === 0) &&
    (quant.axis === undefined || quant.axis === 0);
  const [sx = 1] = from.scale;
  const engine = isInteger ? translator.engineOf(quant) : undefined;
  const own = engine && bias ? engineBias(bias, sx, quant as QParams, engine) : undefined;
  if (!engine || (bias && !own)) {
    const real = dequantize(call, x);
    const y = floatLayer(call, layer, real, packed.weight, packed.bias, clamp, name);
    return call.add({ op: "Quantize", inputs: [y.value] }, to, `${name}.quantize`);
  }
  const { builder } = translator;
  const inputs = [
    translator.name(x),
    builder.constant(builder.fresh(`${name}.weight`), data, quant),
  ];
  if (own) inputs.push(builder.constant(builder.fresh(`${name}.bias`), own.data, own.quant));
  return call.add({ ...layer, inputs, ...clamp, engine }, to, name);
}

function dequantize(call: Call, x: Traced): Traced {
  const inputs = [call.translator.name(x)];
  return call.add({ op: "Dequantize", inputs }, undefined, `${call.label}.dequantize`);
}

function floatLayer(
  call: Call,
  layer: Layer,
  x: Traced,
  weight: StridedTensor,
  bias: StridedTensor | null,
  clamp: Clamp = {},
  name = call.path || call.label,
): Traced {
  const { translator } = call;
  if (call.type(x).quant) throw call.fail("a float layer cannot read quantized input");
  const inputs = [
    translator.name(x),
    translator.constant(weight, `${name}.weight`),
    ...(bias ? [translator.constant(bias, `${name}.bias`)] : []),
  ];
  return call.add({ ...layer, inputs, ...clamp }, undefined, name);
}

/** (x, packed, scale, zero point), or with the window before the scale, as PyTorch 1.4 wrote it. */
const quantizedConv = (clamp: Clamp) => (call: Call) => {
  const packed = call.packed(1);
  const isOld = call.args.length >= 8;
  const window = isOld
    ? {
        strides: call.numbers(2),
        padding: call.numbers(3),
        dilations: call.numbers(4),
        group: call.number(5),
      }
    : packed.window;
  if (!window) throw call.fail("its parameters are none of a convolution");
  return onQuantized(call, convolution(call, packed.weight, window), packed, isOld ? 6 : 2, clamp);
};

function onQuantized(
  call: Call,
  layer: Layer,
  packed: Packed,
  scale: number,
  clamp: Clamp,
): Traced {
  const x = call.traced(0);
  const to = call.qparams(call.number(scale), call.number(scale + 1), call.quantOf(x).dtype);
  return quantizedLayer(call, layer, x, packed, to, clamp);
}

/** A matrix product by rows: higher ranks are not flattened here. */
function matrix(call: Call, x: Traced): Layer {
  const { shape } = call.type(x);
  if (shape.length === 2) return GEMM;
  throw new InputError(
    `${call.op} "${call.label}": the input must have 2 axes; got ${formatShape(shape)}. ` +
      "Flatten it in the model, or give the shape that the model reads.",
  );
}

const quantizedLinear = (clamp: Clamp) => (call: Call) =>
  onQuantized(call, matrix(call, call.traced(0)), call.packed(1), 2, clamp);

/** (x, packed, reduce_range): x is quantized per call by PyTorch's rule, docs/quantization.md (14). A weight that is
 *  not int8 around zero makes a float layer, its weights dequantized. */
const dynamicLinear = (clamp: Clamp) => (call: Call) => {
  const [x, packed] = [call.traced(0), call.packed(1)];
  const { weight, bias } = packed;
  const name = packed.path || call.label;
  const layer = matrix(call, x);
  const { translator } = call;
  const { tensor: data, quant } = translator.entry(weight, `${name}.weight`);
  const isInteger = quant?.dtype === "int8" && quant.zeroPoint.every((zero) => zero === 0);
  const isByRow = quant?.axis === undefined || quant.axis === 0;
  if (!isInteger || !isByRow || data.shape.length !== 2)
    return floatLayer(call, layer, x, weight, bias, clamp, name);
  const { builder } = translator;
  const input = translator.name(x);
  const made = ["quantized", "scale", "zero_point"].map((what) => builder.fresh(`${name}.${what}`));
  // qnnpack ignores what PyTorch's modules ask for.
  const reduceRange = call.flag(2, false) && translator.engineOf(quant) === "fbgemm";
  const rule = { ...onnxRule, rule: "torch", reduceRange } as const;
  const node = { name: builder.fresh(`${name}.quantize`), inputs: [input], outputs: made };
  builder.add({ op: "DynamicQuantizeLinear", ...node, ...rule });
  const [q = "", scale = "", zero = ""] = made;
  const columns = turned(data as Tensor<"int8">);
  const params = quant.axis === undefined ? quant : { ...quant, axis: 1 };
  const w = builder.constant(builder.fresh(`${name}.weight`), columns, params);
  const b = bias ? [translator.constant(bias, `${name}.bias`)] : [];
  const inputs = [q, w, scale, zero, ...b];
  return call.add({ op: "MatMulIntegerToFloat", inputs, ...clamp }, undefined, name);
};

/** The bias of a float layer. */
function biasAt(call: Call, index: number): StridedTensor | null {
  return call.at(index) === null ? null : call.weight(index);
}

function conv2d(call: Call): Traced {
  const [x, weight] = [call.traced(0), call.weight(1)];
  if (typeof call.at(4) === "string") throw call.fail("padding must be given in numbers");
  const window = {
    strides: call.numbers(3),
    padding: call.numbers(4),
    dilations: call.numbers(5),
    group: call.number(6, 1),
  };
  return floatLayer(call, convolution(call, weight, window), x, weight, biasAt(call, 2));
}

/** (x, weight, bias, stride, padding, dilation, transposed, output padding, groups, …). */
function _convolution(call: Call): Traced {
  const [x, weight] = [call.traced(0), call.weight(1)];
  if (call.flag(6, false)) throw call.fail("transposed convolutions are not supported");
  const window = {
    strides: call.numbers(3),
    padding: call.numbers(4),
    dilations: call.numbers(5),
    group: call.number(8, 1),
  };
  return floatLayer(call, convolution(call, weight, window), x, weight, biasAt(call, 2));
}

function linear(call: Call): Traced {
  const x = call.traced(0);
  return floatLayer(call, matrix(call, x), x, call.weight(1), biasAt(call, 2));
}

/** The transpose of a constant matrix: the same storage, read the other way. */
function transposed(call: Call, weight: StridedTensor): StridedTensor {
  if (weight.size.length !== 2 || weight.scheme) throw call.fail("its weight must be a matrix");
  const { storage, offset, size, stride } = weight;
  return new StridedTensor(storage, offset, size.toReversed(), stride.toReversed());
}

/** addmm(bias, x, weightᵀ). */
function addmm(call: Call): Traced {
  if (call.number(3, 1, "beta") !== 1 || call.number(4, 1, "alpha") !== 1)
    throw call.fail("alpha, beta must be 1");
  const x = call.traced(1);
  return floatLayer(call, matrix(call, x), x, transposed(call, call.weight(2)), call.weight(0));
}

function matmul(call: Call): Traced {
  const inputs = [call.operand(call.at(0)), call.operand(call.at(1))];
  return call.add({ op: "MatMul", inputs });
}

function batch_norm(call: Call): Traced {
  if (call.flag(5, false))
    throw call.fail("the model was saved in training mode; put it into evaluation mode first");
  const x = call.traced(0);
  const { translator } = call;
  const [mean, variance] = [call.weight(3), call.weight(4)];
  const channels = mean.size[0] ?? 0;
  const name = call.path || call.label;
  const filled = (index: number, value: number, what: string) =>
    call.at(index) === null
      ? translator.builder.constant(
          translator.builder.fresh(`${name}.${what}`),
          tensor("float32", [channels], new Float32Array(channels).fill(value)),
        )
      : translator.constant(call.weight(index), `${name}.${what}`);
  const inputs = [
    translator.name(x),
    filled(1, 1, "weight"),
    filled(2, 0, "bias"),
    translator.constant(mean, `${name}.running_mean`),
    translator.constant(variance, `${name}.running_var`),
  ];
  return call.add(
    { op: "BatchNormalization", inputs, epsilon: call.number(7, 1e-5) },
    undefined,
    name,
  );
}

/** Prepack ops run when a scripted module takes its state: weight and bias together, nothing moved. */
function conv2d_prepack(call: Call): Packed {
  const window = {
    strides: call.numbers(2),
    padding: call.numbers(3),
    dilations: call.numbers(4),
    group: call.number(5, 1),
  };
  return new Packed(call.weight(0), biasAt(call, 1), window, call.path);
}

const linear_prepack = (call: Call) =>
  new Packed(
    call.weight(0),
    biasAt(call, 1),
    undefined,
    call.path.replace(/\._packed_params$/, ""),
  );

export const layers: Readonly<Record<string, (call: Call) => Thing>> = {
  "ops.quantized.conv2d": quantizedConv({}),
  "ops.quantized.conv2d_relu": quantizedConv({ low: 0 }),
  "ops.quantized.linear": quantizedLinear({}),
  "ops.quantized.linear_relu": quantizedLinear({ low: 0 }),
  "ops.quantized.linear_dynamic": dynamicLinear({}),
  "ops.quantized.linear_relu_dynamic": dynamicLinear({ low: 0 }),
  "ops.quantized.conv2d_prepack": conv2d_prepack,
  "ops.quantized.linear_prepack": linear_prepack,
  "torch.conv2d": conv2d,
  "torch._convolution": _convolution,
  "torch.linear": linear,
  "torch.addmm": addmm,
  "torch.matmul": matmul,
  "torch.mm": matmul,
  "torch.batch_norm": batch_norm,
  "torch.t": (call) => {
    const value = call.at(0);
    if (value instanceof StridedTensor) return transposed(call, value);
    const x = call.traced(0);
    const inputs = [call.translator.name(x)];
    return call.add({ op: "Transpose", perm: [1, 0], inputs }, call.type(x).quant);
  },
};
