// State dicts: named tensors of a model, float or quantized, in either container. The names are
// PyTorch's; what only Python needs (dtypes, None) is left out.

import { InputError } from "../../errors.ts";
import { float32, tensor } from "../../tensor/tensor.ts";
import { openCheckpoint } from "./container.ts";
import { damaged } from "./limits.ts";
import {
  Global,
  kindOf,
  PyFloat,
  StridedTensor,
  Tuple,
  type Dict,
  type Pickled,
} from "./pickled.ts";
import type { StateEntry, TensorReader } from "./tensors.ts";

export type { StateEntry } from "./tensors.ts";
export type StateDict = ReadonlyMap<string, StateEntry>;

/** Where training scripts keep the state dict in a checkpoint, likeliest first. */
const WRAPPERS = ["state_dict", "model_state_dict", "model", "net", "network", "weights"];

/**
 * The state dict in a file of torch.save, zip or legacy; a checkpoint around one (`{"state_dict": …,
 * "epoch": …}`) is looked into. float64, float16 and bfloat16 become float32, int64 stays, Python
 * numbers become 0-d tensors. `m._packed_params._packed_params` becomes `m.weight` and `m.bias`.
 * Tensors are views on `bytes` where layout and alignment allow.
 * @throws FormatError for a damaged or hostile file, with the byte offset; InputError where the file
 *   holds no state dict.
 */
export function readStateDict(bytes: Uint8Array): Promise<StateDict> {
  return Promise.resolve().then(() => {
    const { object, tensors } = openCheckpoint(bytes);
    return flatten(findStateDict(object), tensors);
  });
}

/** `state` with `prefix` taken off every name; unchanged where some name lacks it. DataParallel writes
 *  the prefix "module.". */
export function withoutPrefix(state: StateDict, prefix = "module."): StateDict {
  const names = [...state.keys()];
  if (!names.every((name) => name.startsWith(prefix))) return state;
  return new Map([...state].map(([name, entry]) => [name.slice(prefix.length), entry]));
}

/** `value` as a dict of tensors, or undefined. */
function tensorsIn(value: Pickled | undefined): Dict | undefined {
  if (!(value instanceof Map)) return undefined;
  const isTensor = (item: Pickled) =>
    item instanceof StridedTensor ||
    (item instanceof Tuple && item.items[0] instanceof StridedTensor);
  return [...value.values()].some(isTensor) ? value : undefined;
}

function findStateDict(object: Pickled): Dict {
  if (!(object instanceof Map)) {
    throw new InputError(
      `state dict: the file must hold tensors by name; got ${kindOf(object)}. ` +
        "Save model.state_dict() with torch.save.",
    );
  }
  for (const name of WRAPPERS) {
    const inner = tensorsIn(object.get(name));
    if (inner) return inner;
  }
  if (tensorsIn(object)) return object;
  const keys = [...object.keys()].slice(0, 8).map((key) => `"${String(key)}"`);
  throw new InputError(
    `state dict: the file must hold tensors by name; got a dict of ${keys.join(", ") || "nothing"}. ` +
      `Save model.state_dict(), alone or under "state_dict".`,
  );
}

const PACKED = /(^|\.)_packed_params\._packed_params$/;

function flatten(dict: Dict, tensors: TensorReader): StateDict {
  const state = new Map<string, StateEntry>();
  const put = (name: string, entry: StateEntry) => {
    if (state.has(name)) throw damaged(`the name "${name}" is given twice`);
    state.set(name, entry);
  };
  for (const [key, value] of dict) {
    if (typeof key !== "string") throw damaged(`a name must be a string; got ${kindOf(key)}`);
    if (value === null || value instanceof Global) continue; // None, and dtypes
    if (value instanceof StridedTensor) put(key, tensors.read(value, key));
    else if (value instanceof PyFloat) put(key, { tensor: float32([], [value.value]) });
    else if (typeof value === "boolean") {
      put(key, { tensor: tensor("bool", [], Uint8Array.of(value ? 1 : 0)) });
    } else if (typeof value === "number" || typeof value === "bigint") {
      const whole = BigInt.asIntN(64, BigInt(value));
      if (whole !== BigInt(value)) throw damaged(`"${key}" is ${value}, which is no int64`);
      put(key, { tensor: tensor("int64", [], BigInt64Array.of(whole)) });
    } else if (value instanceof Tuple && PACKED.test(key)) {
      const module = key.replace(PACKED, "$1");
      const [weight, bias = null] = value.items;
      if (!(weight instanceof StridedTensor) || !(bias === null || bias instanceof StridedTensor)) {
        throw damaged(`"${key}" must hold a weight, and a bias or None`);
      }
      put(`${module}weight`, tensors.read(weight, key));
      if (bias) put(`${module}bias`, tensors.read(bias, key));
    } else {
      throw new InputError(
        `state dict: "${key}" must be a tensor or a number; got ${kindOf(value)}. ` +
          "Save model.state_dict() alone, or under the name state_dict.",
      );
    }
  }
  return state;
}
