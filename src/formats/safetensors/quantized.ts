// A quantized state dict in safetensors, which has no word for a scale. A quantized tensor `t` is stored
// as q under its own name, with companions:
//   t.scale       F32 [] per tensor, or [C] per slice of an axis
//   t.zero_point  I32, of the same shape
//   t.axis        I32 [], where the parameters are per slice
//   t.range       I32 [2], qmin and qmax, where they are narrower than the dtype
// Names of torch modules' own scales do not collide: `conv.scale` belongs to no tensor `conv`.

import { InputError } from "../../errors.ts";
import { rangeOf, type QParams } from "../../graph/value.ts";
import { tensor, type Tensor } from "../../tensor/tensor.ts";
import type { StateDict, StateEntry } from "../torch/stateDict.ts";
import { damaged } from "./header.ts";

/** The tensors of a state dict, companions included: what `writeSafetensors` takes. */
export function tensorsOfStateDict(state: StateDict): Map<string, Tensor> {
  const tensors = new Map<string, Tensor>();
  const put = (name: string, value: Tensor) => {
    if (tensors.has(name)) {
      throw new InputError(
        `safetensors: "${name}" must name one tensor; it is an entry and a companion of another. Rename it.`,
      );
    }
    tensors.set(name, value);
  };
  for (const [name, { tensor: value, quant }] of state) {
    put(name, value);
    if (!quant) continue;
    const { scale, zeroPoint, axis, qmin, qmax } = quant;
    const shape = axis === undefined ? [] : [scale.length];
    put(`${name}.scale`, tensor("float32", shape, scale));
    put(`${name}.zero_point`, tensor("int32", shape, zeroPoint));
    if (axis !== undefined) put(`${name}.axis`, tensor("int32", [], Int32Array.of(axis)));
    if (qmin !== undefined && qmax !== undefined) {
      put(`${name}.range`, tensor("int32", [2], Int32Array.of(qmin, qmax)));
    }
  }
  return tensors;
}

function integers(tensors: ReadonlyMap<string, Tensor>, name: string, count: number) {
  const value = tensors.get(name);
  if (value === undefined) return undefined;
  if (value.dtype === "int32" && value.data.length === count) return value.data as Int32Array;
  throw damaged(`"${name}" must be ${count} I32; got ${value.data.length} of ${value.dtype}`);
}

/** Parameters of tensor `name`, if it has companions; throws FormatError where they do not fit it. */
function paramsOf(tensors: ReadonlyMap<string, Tensor>, name: string): QParams | undefined {
  const value = tensors.get(name);
  const scale = tensors.get(`${name}.scale`);
  if (value === undefined || scale === undefined || !tensors.has(`${name}.zero_point`))
    return undefined;
  const { dtype } = value;
  if (dtype !== "int8" && dtype !== "uint8" && dtype !== "int32") return undefined;
  const [axis] = integers(tensors, `${name}.axis`, 1) ?? [];
  const count = axis === undefined ? 1 : (value.shape[axis] ?? -1);
  const steps = scale.data as Float32Array;
  const sound = steps.length === count && steps.every((s) => s > 0 && Number.isFinite(s));
  if (scale.dtype !== "float32" || !sound) {
    throw damaged(`"${name}.scale" must be ${Math.max(count, 0)} positive F32`);
  }
  const zeroPoint = integers(tensors, `${name}.zero_point`, count) ?? new Int32Array(count);
  const [qmin, qmax] = integers(tensors, `${name}.range`, 2) ?? [];
  const quant: QParams = { dtype, scale: steps, zeroPoint };
  const [least, greatest] = rangeOf(quant);
  const [low, high] = [qmin ?? least, qmax ?? greatest];
  if (!(least <= low && low < high && high <= greatest)) {
    throw damaged(`"${name}.range" must lie in ${least} … ${greatest}; got ${low} … ${high}`);
  }
  const outside = zeroPoint.find((zero) => zero < least || zero > greatest);
  if (outside !== undefined) {
    throw damaged(`"${name}.zero_point" must be ${dtype}; got ${outside}`);
  }
  return {
    ...quant,
    ...(axis === undefined ? {} : { axis }),
    ...(qmin === undefined || qmax === undefined ? {} : { qmin, qmax }),
  };
}

/** The state dict of a file's tensors: companions go into `quant`. */
export function stateDictOfTensors(tensors: ReadonlyMap<string, Tensor>): StateDict {
  const quants = new Map<string, QParams>();
  const companions = new Set<string>();
  for (const name of tensors.keys()) {
    const quant = paramsOf(tensors, name);
    if (!quant) continue;
    quants.set(name, quant);
    for (const part of ["scale", "zero_point", "axis", "range"]) companions.add(`${name}.${part}`);
  }
  const state = new Map<string, StateEntry>();
  for (const [name, value] of tensors) {
    if (companions.has(name)) continue;
    const quant = quants.get(name);
    state.set(name, { tensor: value, ...(quant ? { quant } : {}) });
  }
  return state;
}
