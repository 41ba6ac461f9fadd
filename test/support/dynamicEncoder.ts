// test/fixtures/dynamicEncoder.json: an nn.TransformerEncoder of 2 layers under PyTorch's quantize_dynamic, and the
// same network through the builder. PyTorch quantizes linear1 and linear2 and leaves the attention's projections float.

import { readFileSync } from "node:fs";
import { GraphBuilder } from "../../src/graph/builder.ts";
import { Model } from "../../src/model.ts";
import { quantizeDynamic } from "../../src/quantizeDynamic.ts";
import { float32, type Tensor } from "../../src/tensor/tensor.ts";
import { floatsFrom, type EngineResult, type LinearFixture } from "./dynamicFixture.ts";

export type EngineName = "fbgemm" | "qnnpack";

interface EncoderFixture {
  readonly length: number;
  readonly width: number;
  readonly heads: number;
  readonly hidden: number;
  readonly x: string;
  readonly parameters: Readonly<Record<string, string>>;
  /** The output before quantization. */
  readonly float: string;
  readonly engines: Readonly<
    Record<
      EngineName,
      {
        readonly y: string;
        readonly linears: Readonly<Record<string, EngineResult & { readonly x: string }>>;
      }
    >
  >;
}

const file = new URL("../fixtures/dynamicEncoder.json", import.meta.url);
export const encoderFixture = JSON.parse(readFileSync(file, "utf8")) as EncoderFixture;
const { length, width, heads, hidden, parameters } = encoderFixture;

const parameter = (name: string): Float32Array => floatsFrom(parameters[name]!);

export const encoderInput: Tensor<"float32"> = float32(
  [1, length, width],
  floatsFrom(encoderFixture.x),
);

/** (out, in) → (in, out). */
function turned(data: Float32Array, outs: number): Tensor<"float32"> {
  const ins = data.length / outs;
  const at = (index: number) => (index % outs) * ins + Math.floor(index / outs);
  return float32(
    [ins, outs],
    data.map((_, index) => data[at(index)]!),
  );
}

/** x (1, T, width) → y, in eval: post-norm, Relu between the linears. */
export function encoderModel(): Model<"float"> {
  const builder = new GraphBuilder();
  builder.input("x", { dtype: "float32", shape: [1, length, width] });
  const linear = (name: string, x: string, weight: Float32Array, bias: Float32Array) => {
    const w = builder.constant(`${name}.weight`, turned(weight, bias.length));
    builder.add({ op: "MatMul", name, inputs: [x, w], outputs: [`${name}.product`] });
    const b = builder.constant(`${name}.bias`, float32([bias.length], bias));
    return add(`${name}.add`, `${name}.product`, b);
  };
  const add = (name: string, a: string, b: string) => {
    builder.add({ op: "Add", name, inputs: [a, b], outputs: [`${name}.out`] });
    return `${name}.out`;
  };
  const norm = (name: string, x: string) => {
    const [scale, shift] = ["weight", "bias"].map((each) => `${name}.${each}`) as [string, string];
    for (const each of [scale, shift]) builder.constant(each, float32([width], parameter(each)));
    const node = { name, inputs: [x, scale, shift], outputs: [`${name}.out`] };
    builder.add({ op: "LayerNormalization", ...node, axis: 2, epsilon: 1e-5 });
    return `${name}.out`;
  };
  let x = "x";
  for (const layer of ["layers.0", "layers.1"]) {
    const own = (name: string, input: string) => {
      const [weight, bias] = [
        parameter(`${layer}.${name}.weight`),
        parameter(`${layer}.${name}.bias`),
      ];
      return linear(`${layer}.${name}`, input, weight, bias);
    };
    const weight = parameter(`${layer}.self_attn.in_proj_weight`);
    const bias = parameter(`${layer}.self_attn.in_proj_bias`);
    const qkv = ["q", "k", "v"].map((name, at) =>
      linear(
        `${layer}.self_attn.${name}`,
        x,
        weight.slice(at * width * width, (at + 1) * width * width),
        bias.slice(at * width, (at + 1) * width),
      ),
    );
    const attended = `${layer}.attended`;
    const scale = Math.fround(1 / Math.sqrt(width / heads));
    const node = { name: `${layer}.attention`, inputs: qkv, outputs: [attended] };
    builder.add({ op: "Attention", ...node, heads, scale });
    const out = own("self_attn.out_proj", attended);
    x = norm(`${layer}.norm1`, add(`${layer}.residual1`, x, out));
    const wide = own("linear1", x);
    builder.add({
      op: "Relu",
      name: `${layer}.relu`,
      inputs: [wide],
      outputs: [`${layer}.relu.out`],
    });
    const back = own("linear2", `${layer}.relu.out`);
    x = norm(`${layer}.norm2`, add(`${layer}.residual2`, x, back));
  }
  return new Model("float", builder.build("encoder", ["x"], [x]), {});
}

/** As quantize_dynamic({nn.Linear}) does it. */
export const quantizedEncoder = (preset: EngineName) =>
  quantizeDynamic(encoderModel(), { preset, ops: ["layers.*.linear*"] });

/** Each quantized layer on the input that it had in PyTorch. */
export const encoderLinears = (["fbgemm", "qnnpack"] as const).flatMap((engine) =>
  Object.entries(encoderFixture.engines[engine].linears).map(([name, want]) => {
    const isFirst = name.endsWith("linear1");
    const fixture: LinearFixture = {
      rows: length,
      columns: isFirst ? width : hidden,
      outs: isFirst ? hidden : width,
      perChannel: false,
      x: want.x,
      weight: parameters[`${name}.weight`]!,
      bias: parameters[`${name}.bias`]!,
      engines: { [engine]: want },
    };
    return { name: `${name} of ${engine}`, fixture, engine, want };
  }),
);
