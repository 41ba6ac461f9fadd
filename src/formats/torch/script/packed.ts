// Packed parameters of quantized layers, in every form PyTorch has written them: what conv2d_prepack and
// linear_prepack made, as the objects' state keeps it.

import { damaged } from "../limits.ts";
import { List, ScriptObject, StridedTensor, Tuple, type Pickled } from "../pickled.ts";
import type { TensorReader } from "../tensors.ts";
import { Packed, type PackedWindow } from "./values.ts";

const CLASSES = "__torch__.torch.classes.quantized.";

/** True for objects of `torch.classes.quantized`. */
export const isPacked = (object: ScriptObject): boolean => object.type.startsWith(CLASSES);

/** "_jit_pass_hoist_conv_packed_params.features.0.0._packed_params.1" → "features.0.0". */
function layerPath(path: string): string {
  return path
    .replace(/^.*_jit_pass_hoist_conv_packed_params\./, "")
    .replace(/(^|\.)_packed_params(\.\d+)?(\._packed_params(\.\d+)?)*$/, "");
}

/** The weight, bias and window in `object`, which lies at `path`. Throws FormatError. */
export function unpack(object: ScriptObject, path: string, tensors: TensorReader): Packed {
  const type = object.type.slice(CLASSES.length);
  const fail = (problem: string) => damaged(`"${path}" (${type}): ${problem}`);
  const state = object.state instanceof Tuple ? object.state.items : [];
  const make = (weight: Pickled | undefined, bias: Pickled | undefined, window?: PackedWindow) => {
    if (!(weight instanceof StridedTensor)) throw fail("its state holds no weight");
    if (bias !== null && bias !== undefined && !(bias instanceof StridedTensor)) {
      throw fail("its bias must be a tensor or None");
    }
    return new Packed(weight, bias ?? null, window, layerPath(path));
  };
  if (type === "LinearPackedParamsBase") return make(state[0], state[1]);
  if (type !== "Conv2dPackedParamsBase") throw fail("packed parameters of this kind are not read");
  const numbers = (value: Pickled | undefined, depth = 0): number[] => {
    if (depth > 1) throw fail("its numbers are nested too deep");
    if (typeof value === "number") return [value];
    if (value instanceof StridedTensor) {
      if (value.size.reduce((product, size) => product * size, 1) > 64) throw fail("bad numbers");
      return tensors.numbers(value, path);
    }
    if (value instanceof List || value instanceof Tuple)
      return value.items.flatMap((item) => numbers(item, depth + 1));
    throw fail("its state holds no numbers where it must");
  };
  if (state[0] instanceof StridedTensor) {
    // Version 1: (weight, bias, strides, paddings, dilations, groups).
    const [weight, bias, strides, padding, dilations, groups] = state;
    const window = {
      strides: numbers(strides),
      padding: numbers(padding),
      dilations: numbers(dilations),
      group: numbers(groups)[0] ?? 1,
    };
    return make(weight, bias, window);
  }
  const lists = state.map((value) => (value instanceof List ? value.items : []));
  if (state[0] === "2") {
    // Version 2: ("2", [config, weight], [bias or None]).
    return make(lists[1]?.[1], lists[2]?.[0], readConfig(numbers(lists[1]?.[0]), fail));
  }
  if (state[0] === 3) {
    // Version 3: (3, config, [None, weight, bias or None]).
    return make(lists[2]?.[1], lists[2]?.[2], readConfig(numbers(state[1]), fail));
  }
  throw fail("its state has an unknown form");
}

/** [d, strides, paddings, dilations, output paddings, groups, transposed], d numbers each in between. */
function readConfig(config: readonly number[], fail: (problem: string) => Error): PackedWindow {
  if (config[0] !== 2 || config.length !== 11) throw fail(`it must be 2-D; got [${config.join()}]`);
  const transposed = config[10];
  if (transposed !== 0) throw fail("transposed convolutions are not supported");
  return {
    strides: config.slice(1, 3),
    padding: config.slice(3, 5),
    dilations: config.slice(5, 7),
    group: config[9] ?? 1,
  };
}
