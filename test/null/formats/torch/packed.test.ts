// Packed parameters in every form that PyTorch has written, and what each makes of the same layer.

import { describe, expect, it } from "vitest";
import { torchBudget } from "../../../../src/formats/torch/limits.ts";
import {
  List,
  ScriptObject,
  Storage,
  StridedTensor,
  Tuple,
  type Pickled,
} from "../../../../src/formats/torch/pickled.ts";
import { unpack } from "../../../../src/formats/torch/script/packed.ts";
import { TensorReader } from "../../../../src/formats/torch/tensors.ts";
import { messageOf } from "./support.ts";

const CONV = "__torch__.torch.classes.quantized.Conv2dPackedParamsBase";
const files = new Map<string, Uint8Array>();
const tensors = new TensorReader((key) => files.get(key), torchBudget(1000));

function numbers(key: string, values: readonly number[], type: "Short" | "Long"): StridedTensor {
  const bytes = type === "Short" ? Int16Array.from(values) : BigInt64Array.from(values, BigInt);
  files.set(key, new Uint8Array(bytes.buffer));
  return new StridedTensor(new Storage(type, key, values.length), 0, [values.length], [1]);
}

const scheme = { kind: "perTensor", scale: 0.5, zeroPoint: 0 } as const;
const weight = new StridedTensor(
  new Storage("QInt8", "w", 36),
  0,
  [4, 1, 3, 3],
  [9, 9, 3, 1],
  scheme,
);
const bias = new StridedTensor(new Storage("Float", "b", 4), 0, [4], [1]);
const config = [2, 2, 1, 1, 0, 1, 1, 0, 0, 4, 0];
const single = (name: string, values: readonly number[]) =>
  new List(values.map((value, at) => numbers(`${name}${at}`, [value], "Long")));

function object(type: string, state: Pickled): ScriptObject {
  const made = new ScriptObject(type);
  made.state = state;
  return made;
}

describe("packed parameters of a convolution", () => {
  it.each<[string, Pickled]>([
    [
      "version 1",
      new Tuple([
        weight,
        bias,
        single("s", [2, 1]),
        single("p", [1, 0]),
        single("d", [1, 1]),
        numbers("g", [4], "Long"),
      ]),
    ],
    [
      "version 2",
      new Tuple(["2", new List([numbers("config", config, "Short"), weight]), new List([bias])]),
    ],
    ["version 3", new Tuple([3, new List([...config]), new List([null, weight, bias])])],
  ])("%s is read", (_, state) => {
    const path = "_jit_pass_hoist_conv_packed_params.features.0.0._packed_params.1";
    const packed = unpack(object(CONV, state), path, tensors);
    expect(packed.weight).toBe(weight);
    expect(packed.bias).toBe(bias);
    expect(packed.path).toBe("features.0.0");
    expect(packed.window).toEqual({
      strides: [2, 1],
      padding: [1, 0],
      dilations: [1, 1],
      group: 4,
    });
  });

  it.each<[string, string, Pickled]>([
    [
      "a transposed one",
      CONV,
      new Tuple([3, new List([...config.slice(0, 10), 1]), new List([null, weight, null])]),
    ],
    [
      "a 1-D one",
      CONV,
      new Tuple([3, new List([1, 1, 0, 1, 0, 1, 0]), new List([null, weight, null])]),
    ],
    ["an unknown version", CONV, new Tuple(["7", new List([])])],
    [
      "one without a weight",
      CONV,
      new Tuple(["2", new List([numbers("c", config, "Short")]), new List([])]),
    ],
    ["an embedding", "__torch__.torch.classes.quantized.EmbeddingPackedParamsBase", new Tuple([])],
  ])("%s is refused", async (_, type, state) => {
    expect(await messageOf(() => unpack(object(type, state), "layer", tensors))).toMatchSnapshot();
  });
});
