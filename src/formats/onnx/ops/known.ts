// Ops whose result is known at import: constants, shapes, and what picks from them. None becomes a node.

import { allocate } from "../../../tensor/dtype.ts";
import { formatShape, sizeOf, stridesOf, tensor, type Tensor } from "../../../tensor/tensor.ts";
import { productOf } from "../../../graph/dims.ts";
import type { Call } from "../call.ts";
import { gatherRange, openRange } from "./positions.ts";
import { dataTypeName, type TensorProto } from "../proto.ts";
import { wideOf } from "../readTensor.ts";

function decoded(call: Call, proto: TensorProto): Tensor {
  return (
    call.decode(proto) ?? call.refuse(`dtype ${dataTypeName(proto.dataType)} is not supported`)
  );
}

export function Constant(call: Call): void {
  const { scope } = call;
  const [key, attribute] = [...call.proto.attributes][0] ?? [];
  if (attribute === undefined || call.proto.attributes.size !== 1) {
    return call.wrong("one value must be given", `${call.proto.attributes.size} attributes`);
  }
  const output = call.output();
  const integers = (values: readonly bigint[], shape: readonly number[]) =>
    scope.setConstant(output, tensor("int64", shape, BigInt64Array.from(values)));
  const floats = (values: readonly number[], shape: readonly number[]) =>
    scope.setConstant(output, tensor("float32", shape, Float32Array.from(values)));
  if (key === "value" && attribute.kind === "tensor") {
    const wide = wideOf(attribute.value.dataType);
    scope.setConstant(output, decoded(call, attribute.value));
    if (wide) scope.setWide(output, wide);
  } else if (key === "value_int" && attribute.kind === "int") integers([attribute.value], []);
  else if (key === "value_ints" && attribute.kind === "ints") {
    integers(attribute.value, [attribute.value.length]);
  } else if (key === "value_float" && attribute.kind === "float") floats([attribute.value], []);
  else if (key === "value_floats" && attribute.kind === "floats") {
    floats(attribute.value, [attribute.value.length]);
  } else call.refuse(`${key} of type ${attribute.kind} is not supported`);
}

/** Elements start … end of the input's shape (since opset 15; both clamp). */
export function Shape(call: Call): void {
  const shape = call.shape(0);
  const bound = (index: number) =>
    Math.min(Math.max(index < 0 ? index + shape.length : index, 0), shape.length);
  const sizes = shape.slice(bound(call.int("start", 0)), bound(call.int("end", shape.length)));
  call.scope.setSizes(call.output(), [sizes.length], sizes);
}

export function Size(call: Call): void {
  const shape = call.shape(0);
  const size =
    productOf(shape) ?? call.refuse(`the size of ${formatShape(shape)} is not known at import`);
  if (typeof size === "number" && !Number.isSafeInteger(size)) {
    call.wrong("the size must fit an integer", formatShape(shape));
  }
  call.scope.setSizes(call.output(), [], [size]);
}

/** numpy's take: here where both are known, else a node. Indices that are known are checked here. */
export function Gather(call: Call): void {
  if (gatherRange(call)) return;
  const data = call.entry(0);
  if (data.kind === "value" || call.entry(1).kind === "value") return gatherAtRunTime(call);
  const indices = call.constantInts(1, "indices") ?? [];
  const shape = call.shape(0) as readonly number[];
  const axis = call.axis(call.int("axis", 0), shape.length);
  const size = shape[axis] ?? 0;
  const at = indices.map((index) => {
    if (index >= -size && index < size) return index < 0 ? index + size : index;
    return call.wrong(`indices must be in ${-size} … ${size - 1}`, String(index));
  });
  const inner = stridesOf(shape)[axis] ?? 1;
  const outer = sizeOf(shape.slice(0, axis));
  const taken = [...shape.slice(0, axis), ...(call.shape(1) as number[]), ...shape.slice(axis + 1)];
  if (taken.length > call.scope.limits.rank) {
    call.wrong(`the output must have at most ${call.scope.limits.rank} axes`, formatShape(taken));
  }
  call.scope.charge(sizeOf(taken));
  const from = new Int32Array(sizeOf(taken));
  let next = 0;
  for (let block = 0; from.length > 0 && block < outer; block++) {
    for (const index of at) {
      for (let step = 0; step < inner; step++) from[next++] = (block * size + index) * inner + step;
    }
  }
  if (data.kind === "sizes") {
    const sizes = Array.from(from, (index) => data.sizes[index] ?? 0);
    return call.scope.setSizes(call.output(), taken, sizes, data.dtype);
  }
  if (data.kind !== "constant") return;
  const picked = allocate(data.tensor.dtype, from.length);
  from.forEach((index, to) => (picked[to] = data.tensor.data[index] as never));
  call.scope.setConstant(call.output(), { ...data.tensor, shape: taken, data: picked } as Tensor);
}

function gatherAtRunTime(call: Call): void {
  const shape = call.shape(0);
  const axis = call.axis(call.int("axis", 0), shape.length);
  const dtype = call.scope.dtypeOf(call.input(1));
  if (dtype !== "int32" && dtype !== "int64") {
    return call.wrong("indices must be int32 or int64", dtype);
  }
  const size = shape[axis];
  const known = call.entry(1).kind === "constant" ? call.constantInts(1, "indices") : undefined;
  const bad = known?.find((at) => typeof size === "number" && (at < -size || at >= size));
  if (bad !== undefined) {
    call.wrong(`indices must be in −${size} … ${Number(size) - 1}`, String(bad));
  }
  const [inputs, outputs] = [[call.input(0), call.input(1)], [call.output()]];
  call.scope.add({ op: "Gather", name: call.name, inputs, outputs, axis });
}

/** Where a size of the shape has only a name, or there are too many elements: one, and an Expand. */
export function ConstantOfShape(call: Call): void {
  const entry = call.entry(0);
  const shape = entry.kind === "sizes" ? [] : (call.constantInts(0, "the shape") ?? []);
  const { limits } = call.scope;
  if (shape.length > limits.rank || shape.some((dim) => dim < 0)) {
    call.wrong(`the shape must be at most ${limits.rank} sizes`, formatShape(shape));
  }
  const isSmall = entry.kind !== "sizes" && call.scope.affords(sizeOf(shape));
  const size = isSmall ? sizeOf(shape) : 1;
  call.scope.charge(size);
  const proto = call.tensor("value");
  const value = proto ? decoded(call, proto) : tensor("float32", [1]);
  if (value.data.length !== 1) call.wrong("value must be one element", formatShape(value.shape));
  const data = allocate(value.dtype, size).fill(value.data[0] as never);
  const filled = { dtype: value.dtype, shape: isSmall ? shape : [], data } as Tensor;
  if (isSmall) return call.scope.setConstant(call.output(), filled);
  const element = call.fresh(`${call.output()}_value`);
  call.scope.setConstant(element, filled);
  call.scope.add({
    op: "Expand",
    name: call.name,
    inputs: [element],
    outputs: [call.output()],
    shape: entry.kind === "sizes" ? [...entry.sizes] : shape,
  });
}

export function Range(call: Call): void {
  if (openRange(call)) return;
  const bounds = [0, 1, 2].map((index) => {
    const bound =
      call.constant(index, "a bound") ?? call.wrong("three bounds must be given", "fewer");
    if (bound.data.length !== 1) call.wrong("bounds must be scalars", formatShape(bound.shape));
    return bound;
  });
  const [dtype] = bounds.map((bound) => bound.dtype);
  if (dtype === undefined || bounds.some((bound) => bound.dtype !== dtype)) {
    return call.wrong("bounds must share one dtype", "several");
  }
  const [start, limit, delta] = bounds.map((bound) => Number(bound.data[0]));
  const count = Math.max(0, Math.ceil(((limit ?? 0) - (start ?? 0)) / (delta ?? 1)));
  if (!Number.isFinite(count)) call.wrong("delta must not be 0", String(delta));
  call.scope.charge(count);
  const data = allocate(dtype, count);
  for (let index = 0; index < count; index++) {
    const value = (start ?? 0) + index * (delta ?? 1);
    data[index] = (data instanceof BigInt64Array ? BigInt(Math.trunc(value)) : value) as never;
  }
  call.scope.setConstant(call.output(), { dtype, shape: [count], data } as Tensor);
}
