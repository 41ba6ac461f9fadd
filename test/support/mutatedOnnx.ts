// Small valid ONNX models of one op or two, and the same with their structure changed: inputs, outputs and
// attributes dropped, doubled, added and exchanged, element types, shapes and opsets changed. For tests that ask
// whether what `load` accepts is valid, and for longer runs of the same.

import { DataType, type AttributeProto, type NodeProto } from "../../src/formats/onnx/proto.ts";
import type { GraphProto, ModelProto, ValueInfoProto } from "../../src/formats/onnx/proto.ts";
import { checkGraph } from "../../src/formats/onnx/check.ts";
import { float, int, ints, tensorProto } from "../../src/formats/onnx/draft.ts";
import { writeModel } from "../../src/formats/onnx/write.ts";
import { allocate, type DType } from "../../src/tensor/dtype.ts";
import { sizeOf, type Tensor } from "../../src/tensor/tensor.ts";
import { generator } from "./seeded.ts";

type Attribute = number | string | readonly number[] | AttributeProto;

/** An op with what it reads: float32[shape] inputs, constants, attributes, and the number of its outputs. */
interface Sample {
  readonly op: string;
  readonly inputs: readonly (readonly number[] | Tensor | "")[];
  readonly attributes?: Readonly<Record<string, Attribute>>;
  readonly outputs?: number;
  readonly opset?: number;
  readonly type?: number;
  readonly domain?: string;
}

function constant(dtype: DType, shape: readonly number[], values: readonly number[]): Tensor {
  const data = allocate(dtype, sizeOf(shape));
  for (let at = 0; at < data.length; at++) {
    const value = values[at % values.length] ?? 0;
    data[at] = (data instanceof BigInt64Array ? BigInt(value) : value) as never;
  }
  return { dtype, shape, data } as Tensor;
}

const f = (shape: readonly number[], ...values: number[]) =>
  constant("float32", shape, values.length > 0 ? values : [0.5, -1, 2, 0.25]);
const l = (...values: number[]) => constant("int64", [values.length], values);
const b = (shape: readonly number[], ...values: number[]) => constant("uint8", shape, values);
const i8 = (shape: readonly number[], ...values: number[]) => constant("int8", shape, values);
const { INT64, INT32, BOOL, UINT8, INT8 } = DataType;
const [scale, zero] = [f([], 0.5), b([], 3)];
const x4 = [1, 2, 4, 4];

const unary = (
  "Relu Sigmoid HardSwish Tanh Erf Sqrt Exp Log Neg Abs Reciprocal Softplus Sign Floor Ceil Round Identity Elu " +
  "Selu LeakyRelu HardSigmoid"
).split(" ");
const binary = "Add Sub Mul Div Pow Min Max Sum Mean MatMul Equal Less Greater".split(" ");

const samples: readonly Sample[] = [
  ...unary.map((op): Sample => ({ op, inputs: [[2, 3]] })),
  ...binary.map((op): Sample => ({ op, inputs: [[2, 2], op === "MatMul" ? f([2, 3]) : [2, 2]] })),
  ...["And", "Or", "Xor"].map((op): Sample => ({ op, inputs: [[2], [2]], type: BOOL })),
  { op: "Not", inputs: [[2, 3]], type: BOOL },
  { op: "Gelu", inputs: [[2, 3]], opset: 20, attributes: { approximate: "tanh" } },
  { op: "LessOrEqual", inputs: [[2, 3], [3]] },
  { op: "GreaterOrEqual", inputs: [[2, 3], [2, 1]] },
  { op: "Where", inputs: [constant("bool", [2, 2], [1, 0]), [2, 2], [2, 2]] },
  { op: "Clip", inputs: [[2, 3], f([], -1), f([], 1)] },
  { op: "Clip", inputs: [[2, 3], i8([], -1), i8([], 1)], type: INT8 },
  { op: "Clip", inputs: [[2, 3]], opset: 10, attributes: { min: float(-1), max: float(1) } },
  { op: "Dropout", inputs: [[2, 3]] },
  { op: "Cast", inputs: [[2, 3]], attributes: { to: INT32 } },
  { op: "Conv", inputs: [x4, f([4, 2, 3, 3]), f([4])], attributes: { pads: [1, 1, 1, 1] } },
  { op: "Conv", inputs: [[1, 4, 6], f([4, 2, 3])], attributes: { group: 2, strides: [2] } },
  { op: "Conv", inputs: [x4, f([2, 1, 2, 2])], attributes: { group: 2, auto_pad: "SAME_UPPER" } },
  { op: "MaxPool", inputs: [x4], attributes: { kernel_shape: [2, 2], strides: [2, 2] } },
  { op: "MaxPool", inputs: [[1, 2, 5]], attributes: { kernel_shape: [3], pads: [1, 1], ceil_mode: 1 } },
  { op: "AveragePool", inputs: [x4], attributes: { kernel_shape: [3, 3], pads: [1, 1, 1, 1], count_include_pad: 1 } },
  { op: "GlobalAveragePool", inputs: [x4] },
  { op: "Gemm", inputs: [[2, 3], f([3, 4]), f([4])], attributes: { alpha: float(0.5) } },
  { op: "Gemm", inputs: [[3, 2], f([4, 3])], attributes: { transA: 1, transB: 1 } },
  { op: "MatMul", inputs: [[2, 2, 3], f([3, 4])] },
  { op: "MatMul", inputs: [[1, 2, 2, 3], [1, 1, 3, 2]] },
  { op: "BatchNormalization", inputs: [x4, f([2]), f([2]), f([2]), f([2], 1, 2)], attributes: { epsilon: float(1e-5) } },
  { op: "LayerNormalization", inputs: [[2, 3, 4], f([4]), f([4])], attributes: { axis: -1 } },
  ...["ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2", "ReduceSumSquare"].map(
    (op): Sample => ({ op, inputs: [[2, 3, 4]], attributes: { axes: [1], keepdims: 0 } }),
  ),
  { op: "ReduceMean", inputs: [[2, 3, 4], l(1, -1)], opset: 18, attributes: { keepdims: 1 } },
  { op: "ReduceSum", inputs: [[2, 3, 4], l(0)], attributes: { noop_with_empty_axes: 1 } },
  { op: "ArgMax", inputs: [[2, 3]], attributes: { axis: 1, keepdims: 0, select_last_index: 1 } },
  { op: "ArgMin", inputs: [[2, 3]], attributes: { axis: -1 } },
  { op: "Softmax", inputs: [[2, 3]], attributes: { axis: -1 } },
  { op: "LogSoftmax", inputs: [[2, 3, 4]], attributes: { axis: 1 }, opset: 11 },
  { op: "LSTM", inputs: [[3, 1, 2], f([1, 8, 2]), f([1, 8, 2]), f([1, 16])], outputs: 3, attributes: { hidden_size: 2 } },
  { op: "GRU", inputs: [[3, 1, 2], f([1, 6, 2]), f([1, 6, 2])], outputs: 2, attributes: { hidden_size: 2, direction: "forward" } },
  { op: "Flatten", inputs: [[2, 3, 4]], attributes: { axis: 2 } },
  { op: "Reshape", inputs: [[2, 3, 4], l(0, -1)] },
  { op: "Reshape", inputs: [[2, 6], l(3, 2, 2)] },
  { op: "Transpose", inputs: [[2, 3, 4]], attributes: { perm: [2, 0, 1] } },
  { op: "Squeeze", inputs: [[2, 1, 3], l(1)] },
  { op: "Squeeze", inputs: [[2, 1, 3]], opset: 11, attributes: { axes: [1] } },
  { op: "Unsqueeze", inputs: [[2, 3], l(0, 3)] },
  { op: "Expand", inputs: [[2, 1], l(2, 2, 3)] },
  { op: "Concat", inputs: [[2, 3], [2, 1], [2, 2]], attributes: { axis: 1 } },
  { op: "Pad", inputs: [[2, 3], l(0, 1, 2, 0), f([], 0.5)], attributes: { mode: "constant" } },
  { op: "Pad", inputs: [[2, 3], l(0, 1, 0, 1)], attributes: { mode: "reflect" } },
  { op: "Slice", inputs: [[4, 5], l(1, 0), l(3, 9), l(0, 1), l(1, 2)] },
  { op: "Slice", inputs: [[4, 5]], opset: 9, attributes: { starts: [1], ends: [3], axes: [0] } },
  { op: "Split", inputs: [[4, 6], l(2, 4)], outputs: 2, attributes: { axis: 1 } },
  { op: "Split", inputs: [[4, 6]], outputs: 3, attributes: { axis: -1 } },
  { op: "Gather", inputs: [[4, 3], l(0, -1)], attributes: { axis: 0 } },
  { op: "Gather", inputs: [f([4, 3]), l(2)], attributes: { axis: 1 } },
  { op: "Shape", inputs: [[2, 3]], attributes: { start: 1 } },
  { op: "Size", inputs: [[2, 3]] },
  { op: "ConstantOfShape", inputs: [l(2, 3)] },
  { op: "Range", inputs: [f([], 0), f([], 3), f([], 1)] },
  { op: "Constant", inputs: [], attributes: { value_ints: [1, 2] } },
  { op: "QuantizeLinear", inputs: [[2, 3], scale, zero] },
  { op: "QuantizeLinear", inputs: [[2, 3], f([3], 1), b([3], 1)], attributes: { axis: 1 } },
  { op: "DequantizeLinear", inputs: [[2, 3], scale, zero], type: UINT8 },
  { op: "DequantizeLinear", inputs: [i8([2, 3], 1, -2), f([2], 0.5), i8([2], 0)], attributes: { axis: 0 } },
  { op: "DynamicQuantizeLinear", inputs: [[2, 3]], outputs: 3 },
  { op: "MatMulInteger", inputs: [[2, 3], b([3, 2], 1, 2), b([], 1), b([], 2)], type: UINT8 },
  { op: "ConvInteger", inputs: [x4, b([2, 2, 2, 2], 1, 2), b([], 1)], type: UINT8 },
  { op: "QLinearConv", inputs: [x4, scale, zero, b([2, 2, 1, 1], 3, 5), f([2], 0.5), b([2], 0), scale, zero], type: UINT8 },
  { op: "QLinearMatMul", inputs: [[2, 3], scale, zero, b([3, 2], 3), scale, zero, scale, zero], type: UINT8 },
  { op: "QLinearAdd", inputs: [[2, 3], scale, zero, [2, 3], scale, zero, scale, zero], type: UINT8, domain: "com.microsoft" },
  { op: "Add", inputs: [[2, 3], constant("int64", [3], [1, 2])], type: INT64 },
]; // prettier-ignore

type Random = (below: number) => number;

function attributeOf(value: Attribute): AttributeProto {
  if (typeof value === "number") return int(value);
  if (typeof value === "string") return { kind: "string", value };
  return Array.isArray(value) ? ints(value as number[]) : (value as AttributeProto);
}

function modelOf(sample: Sample): ModelProto {
  const { op, opset = 13, type = 1, domain = "" } = sample;
  const inputs: ValueInfoProto[] = [];
  const constants: [string, Tensor][] = [];
  const names = sample.inputs.map((input, at) => {
    if (input === "") return "";
    if ("dtype" in input) constants.push([`c${at}`, input]);
    else inputs.push({ name: `x${at}`, elemType: type, shape: input, offset: 0 });
    return "dtype" in input ? `c${at}` : `x${at}`;
  });
  const outputs = Array.from({ length: sample.outputs ?? 1 }, (_, at) => `y${at}`);
  const entries = Object.entries(sample.attributes ?? {});
  const attributes = new Map(entries.map(([name, value]) => [name, attributeOf(value)] as const));
  const node = { name: "n", opType: op, domain, inputs: names, outputs, attributes, offset: 0 };
  const wanted =
    op === "LayerNormalization" ? Math.max(opset, 17) : op === "HardSwish" ? 14 : opset;
  return {
    irVersion: 8,
    opsets: new Map([
      ["", op === "Shape" ? 15 : wanted],
      ...(domain ? ([[domain, 1]] as const) : []),
    ]),
    producerName: "",
    producerVersion: "",
    graph: {
      name: "g",
      nodes: [node],
      initializers: constants.map(([name, value]) => tensorProto(name, value)),
      sparse: 0,
      inputs,
      outputs: outputs.map((name) => ({ name, offset: 0 })),
    },
  };
}

/** A list with one entry dropped, doubled, exchanged, or put in. */
function changed<T>(list: readonly T[], random: Random, make: () => T): T[] {
  const [at, out] = [random(list.length + 1), [...list]];
  const how = random(4);
  if (how === 0) out.splice(at, 1);
  else if (how === 1) out.splice(at, 0, out[random(Math.max(1, out.length))] ?? make());
  else if (how === 2) out.splice(at, 0, make());
  else if (at < out.length) out[at] = make();
  return out;
}

const small = (random: Random) => random(9) - 3;

function otherAttribute(value: AttributeProto, random: Random): AttributeProto {
  const how = random(5);
  if (how === 0) return int(small(random));
  if (how === 1) return float(small(random) / 2);
  if (how === 2)
    return {
      kind: "string",
      value: ["NOTSET", "SAME_LOWER", "VALID", "edge", "x"][random(5)] ?? "",
    };
  if (value.kind === "ints")
    return ints(changed(value.value.map(Number), random, () => small(random)));
  return value.kind === "int" ? int(small(random)) : ints([small(random)]);
}

const strange =
  "axis axes keepdims to group perm mode alpha epsilon pads seed momentum nonsense".split(" ");

function mutateNode(node: NodeProto, names: readonly string[], random: Random): NodeProto {
  const any = () => (random(4) === 0 ? "" : (names[random(names.length)] ?? ""));
  const attributes = new Map(node.attributes);
  const keys = [...attributes.keys()];
  const key = keys[random(Math.max(1, keys.length))];
  switch (random(6)) {
    case 0:
    case 1:
      return { ...node, inputs: changed(node.inputs, random, any) };
    case 2: {
      const outputs = changed(node.outputs, random, () => `z${random(99)}`);
      return {
        ...node,
        outputs: outputs.map((name, at) => (outputs.indexOf(name) < at ? `${name}_${at}` : name)),
      };
    }
    case 3:
      if (key !== undefined) attributes.delete(key);
      return { ...node, attributes };
    case 4:
      attributes.set(strange[random(strange.length)] ?? "", otherAttribute(int(1), random));
      return { ...node, attributes };
    default: {
      const value = key === undefined ? undefined : attributes.get(key);
      if (key !== undefined && value) attributes.set(key, otherAttribute(value, random));
      return { ...node, attributes };
    }
  }
}

const types = [1, UINT8, INT8, INT32, INT64, BOOL, 11, 10];
const dtypes: readonly DType[] = ["float32", "uint8", "int8", "int32", "int64", "bool"];

function mutateGraph(graph: GraphProto, random: Random): GraphProto {
  const names = [...graph.inputs, ...graph.initializers].map(({ name }) => name);
  const pick = <T>(list: readonly T[], change: (item: T) => T): T[] => {
    const at = random(Math.max(1, list.length));
    return list.map((item, index) => (index === at ? change(item) : item));
  };
  switch (random(7)) {
    case 0:
      return {
        ...graph,
        inputs: pick(graph.inputs, (input) => ({
          ...input,
          elemType: types[random(types.length)] ?? 1,
        })),
      };
    case 1:
    case 2: {
      const shape = (input: ValueInfoProto) => changed(input.shape ?? [], random, () => random(5));
      return {
        ...graph,
        inputs: pick(graph.inputs, (input) => ({ ...input, shape: shape(input) })),
      };
    }
    case 3: {
      const initializers = pick(graph.initializers, ({ name, dims }) => {
        const shape = random(2) === 0 ? dims : changed(dims, random, () => random(4));
        const dtype = dtypes[random(dtypes.length)] ?? "float32";
        return tensorProto(name, constant(dtype, shape, [1, 2, 0, 3]));
      });
      return { ...graph, initializers };
    }
    case 4: {
      const initializers = pick(graph.initializers, (proto) => {
        if (proto.dataType !== INT64 || proto.dims.length > 1) return proto;
        const count = changed(
          Array.from({ length: proto.dims[0] ?? 1 }, () => 0),
          random,
          () => 0,
        ).length;
        const values = Array.from({ length: count }, () => small(random));
        return tensorProto(
          proto.name,
          constant("int64", proto.dims.length === 0 ? [] : [count], values),
        );
      });
      return { ...graph, initializers };
    }
    default:
      return { ...graph, nodes: pick(graph.nodes, (node) => mutateNode(node, names, random)) };
  }
}

export interface MutatedOnnx {
  readonly op: string;
  readonly bytes: Uint8Array;
  /** In words, for a message. */
  readonly text: string;
}

const show = (model: ModelProto) =>
  JSON.stringify({ opsets: [...model.opsets], graph: model.graph }, (_, value: unknown) =>
    typeof value === "bigint"
      ? Number(value)
      : value instanceof Map
        ? Object.fromEntries(value)
        : value instanceof Uint8Array
          ? [...value.subarray(0, 32)]
          : value,
  );

function typesOf(graph: GraphProto, opsets: ReadonlyMap<string, number>) {
  try {
    return checkGraph(graph, opsets);
  } catch {
    return []; // invalid: then the types of outputs do not matter
  }
}

/** Model number `seed`: a valid one where `mutations` is 0. */
export function mutatedOnnx(seed: number, mutations = 1 + (seed % 2)): MutatedOnnx {
  const next = generator(seed);
  for (let skip = 0; skip < 4; skip++) next();
  const random: Random = (below) => Math.floor(next() * below);
  const sample = samples[random(samples.length)] ?? { op: "Relu", inputs: [[1]] };
  let model = modelOf(sample);
  for (let count = 0; count < mutations; count++) {
    if (random(12) === 0)
      model = { ...model, opsets: new Map([...model.opsets, ["", 7 + random(16)]]) };
    else model = { ...model, graph: mutateGraph(model.graph, random) };
  }
  // Outputs of the graph are those of its nodes, of the types that the ops say.
  const names = model.graph.nodes.flatMap((node) => node.outputs).filter((name) => name !== "");
  const graph = { ...model.graph, outputs: names.map((name) => ({ name, offset: 0 })) };
  const types = typesOf(graph, model.opsets);
  const outputs = names.map((name, at) => ({ name, elemType: types[at] ?? 1, offset: 0 }));
  model = { ...model, graph: { ...graph, outputs } };
  return { op: sample.op, bytes: writeModel(model), text: show(model) };
}

export const sampleCount = samples.length;
