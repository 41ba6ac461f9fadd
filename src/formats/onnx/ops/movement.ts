// Ops that move elements and compute nothing. Shapes, axes and bounds must be known at import; only the
// target of a Reshape may name a size.

import { InputError } from "../../../errors.ts";
import { fl } from "../../../tensor/rounding.ts";
import { formatShape } from "../../../tensor/tensor.ts";
import type { Dim } from "../../../graph/value.ts";
import type { Call } from "../call.ts";

/** No size reaches so far: to the end. */
const FAR = 2 ** 31 - 1;

export function Flatten(call: Call): void {
  const rank = call.rank(0);
  const axis = call.axis(call.int("axis", 1), rank, rank + 1);
  const [inputs, outputs] = [[call.input(0)], [call.output()]];
  call.scope.add({ op: "Flatten", name: call.name, inputs, outputs, axis });
}

/** The target: numbers, −1 once, 0 for "as in the input", and names of sizes that Shape gave. */
export function Reshape(call: Call): void {
  const entry = call.entry(1);
  const target: readonly Dim[] =
    entry.kind === "sizes" ? entry.sizes : (call.constantInts(1, "the target shape") ?? []);
  if (call.rank(1) !== 1) call.wrong("the target shape must have 1 axis", String(call.rank(1)));
  if (target.length > call.scope.limits.rank) {
    call.wrong(
      `the target must have at most ${call.scope.limits.rank} axes`,
      String(target.length),
    );
  }
  const rank = call.rank(0);
  if (target.some((dim) => typeof dim === "number" && dim < -1)) {
    call.wrong("sizes must be −1, 0 or positive", formatShape(target));
  }
  if (target.filter((dim) => dim === -1).length > 1) {
    call.wrong("−1 may stand once", formatShape(target));
  }
  if (target.includes(0)) {
    if (call.flag("allowzero")) call.refuse("allowzero with a size of 0 is not supported");
    if (target.lastIndexOf(0) >= rank) {
      call.wrong(`0 copies one of ${rank} sizes`, formatShape(target));
    }
  }
  const node = { name: call.name, inputs: [call.input(0)], outputs: [call.output()] };
  call.scope.add({ op: "Reshape", ...node, shape: [...target] });
}

export function Transpose(call: Call): void {
  const rank = call.rank(0);
  const perm = call.ints("perm") ?? Array.from({ length: rank }, (_, axis) => rank - 1 - axis);
  const sorted = perm.toSorted((a, b) => a - b);
  if (perm.length !== rank || sorted.some((axis, index) => axis !== index)) {
    call.wrong(`perm must hold 0 … ${rank - 1}, each once`, formatShape(perm));
  }
  const [inputs, outputs] = [[call.input(0)], [call.output()]];
  call.scope.add({ op: "Transpose", name: call.name, inputs, outputs, perm });
}

/** axes: an attribute before opset 13, an input since. */
function axesOf(call: Call): number[] | undefined {
  return call.opset < 13 ? call.ints("axes") : call.constantInts(1, "axes");
}

export function Squeeze(call: Call): void {
  const shape = call.shape(0);
  const given = axesOf(call);
  const axes = given
    ? call.axes(given, shape.length)
    : shape.flatMap((dim, axis) => (dim === 1 ? [axis] : []));
  for (const axis of axes) {
    const dim = shape[axis];
    if (typeof dim === "string") {
      throw new InputError(
        `Squeeze "${call.name}": axis ${axis} must have size 1; got "${dim}". ` +
          `Fix it when loading: load(bytes, { dims: { ${dim}: 1 } }).`,
      );
    }
    if (dim !== 1) call.wrong(`axis ${axis} must have size 1`, formatShape(shape));
  }
  const [inputs, outputs] = [[call.input(0)], [call.output()]];
  call.scope.add({ op: "Squeeze", name: call.name, inputs, outputs, axes });
}

export function Unsqueeze(call: Call): void {
  const given = axesOf(call) ?? call.wrong("axes must be given", "none");
  const rank = call.rank(0) + given.length;
  if (rank > call.scope.limits.rank) {
    call.wrong(`the output must have at most ${call.scope.limits.rank} axes`, String(rank));
  }
  const axes = call.axes(given, rank);
  const [inputs, outputs] = [[call.input(0)], [call.output()]];
  call.scope.add({ op: "Unsqueeze", name: call.name, inputs, outputs, axes });
}

/** The target: numbers, and names of sizes that Shape gave. */
export function Expand(call: Call): void {
  const entry = call.entry(1);
  const target: readonly Dim[] =
    entry.kind === "sizes" ? entry.sizes : (call.constantInts(1, "the target shape") ?? []);
  if (call.rank(1) !== 1) call.wrong("the target shape must have 1 axis", String(call.rank(1)));
  if (target.length > call.scope.limits.rank) {
    call.wrong(
      `the target must have at most ${call.scope.limits.rank} axes`,
      String(target.length),
    );
  }
  if (target.some((dim) => typeof dim === "number" && dim < 0)) {
    call.wrong("sizes must not be negative", formatShape(target));
  }
  const node = { name: call.name, inputs: [call.input(0)], outputs: [call.output()] };
  call.scope.add({ op: "Expand", ...node, shape: [...target] });
}

export function Concat(call: Call): void {
  if (!call.has("axis")) call.wrong("axis must be given", "none");
  const axis = call.axis(call.int("axis", 0), call.rank(0));
  const { inputs } = call;
  const dtypes = new Set(inputs.map((name) => call.scope.dtypeOf(name)));
  if (dtypes.size > 1) call.wrong("inputs must share one dtype", [...dtypes].join(" and "));
  call.scope.add({ op: "Concat", name: call.name, inputs, outputs: [call.output()], axis });
}

/** pads, value and (18) axes are attributes before opset 11, inputs since. */
export function Pad(call: Call): void {
  const mode = call.string("mode", "constant");
  if (mode !== "constant" && mode !== "reflect" && mode !== "edge") {
    return call.refuse(`mode "${mode}" is not supported; "constant", "reflect" and "edge" are`);
  }
  const rank = call.rank(0);
  const isOld = call.opset < 11;
  const given = isOld ? call.ints("pads") : call.constantInts(1, "pads");
  const dtype = call.scope.dtypeOf(call.input(0));
  const inputValue = () => call.constantScalar(2, "the padding value", dtype) ?? 0;
  const value = mode !== "constant" ? 0 : isOld ? call.float("value", 0) : inputValue();
  const listed = isOld ? undefined : call.constantInts(3, "axes");
  const axes = listed?.map((axis) => call.axis(axis, rank)) ?? call.shape(0).map((_, axis) => axis);
  if (new Set(axes).size !== axes.length) call.wrong("axes must differ", formatShape(axes));
  if (given === undefined || given.length !== 2 * axes.length) {
    return call.wrong(`pads must be ${2 * axes.length} numbers`, formatShape(given ?? []));
  }
  const pads = Array.from({ length: 2 * rank }, () => 0);
  axes.forEach((axis, index) => {
    pads[axis] = given[index] ?? 0;
    pads[axis + rank] = given[index + axes.length] ?? 0;
  });
  const how: { mode?: "reflect" | "edge" } = mode === "constant" ? {} : { mode };
  const rest = pads.map((pad) => Math.max(0, pad));
  const isCrop = pads.some((pad) => pad < 0);
  const isPad = rest.some((pad) => pad > 0) || !isCrop;
  const inner = !isCrop
    ? call.input(0)
    : isPad
      ? call.fresh(`${call.output()}_cropped`)
      : call.output();
  if (isCrop)
    crop(call, pads, isPad ? call.scope.nodeNames.fresh(`${call.name}_crop`) : call.name, inner);
  if (!isPad) return;
  const [inputs, outputs] = [[inner], [call.output()]];
  const real = realValue(call, value);
  call.scope.add({ op: "Pad", name: call.name, inputs, outputs, pads: rest, value: real, ...how });
}

/** A negative pad takes elements away, before anything is padded. */
function crop(call: Call, pads: readonly number[], name: string, output: string): void {
  const rank = call.rank(0);
  const axes = call
    .shape(0)
    .flatMap((_, axis) => ((pads[axis] ?? 0) < 0 || (pads[axis + rank] ?? 0) < 0 ? [axis] : []));
  const starts = axes.map((axis) => Math.max(0, -(pads[axis] ?? 0)));
  const ends = axes.map((axis) => {
    const end = pads[axis + rank] ?? 0;
    return end < 0 ? end : FAR;
  });
  axes.forEach((axis, at) => {
    const size = call.shape(0)[axis];
    if (typeof size !== "number") return;
    if (size + Math.min(0, pads[axis] ?? 0) + Math.min(0, pads[axis + rank] ?? 0) < 0)
      call.wrong(`pads must leave elements of axis ${axis} of ${size}`, formatShape(pads));
    if (starts[at] === size) ends[at] = size;
  });
  const steps = axes.map(() => 1);
  const [inputs, outputs] = [[call.input(0)], [output]];
  call.scope.add({ op: "Slice", name, inputs, outputs, axes, starts, ends, steps });
}

/** The number that padding bytes stand for, where the padded value is quantized: the graph's Pad holds that. */
function realValue(call: Call, value: number): number {
  const entry = call.entry(0);
  const quant = entry.kind === "value" ? entry.value.quant : undefined;
  if (quant === undefined || quant.axis !== undefined) return value;
  return fl((value - (quant.zeroPoint[0] ?? 0)) * (quant.scale[0] ?? 1));
}

/** starts, ends, axes (and steps) are attributes before opset 10, inputs since. */
export function Slice(call: Call): void {
  const isOld = call.opset < 10;
  const read = (name: string, index: number) =>
    isOld ? call.ints(name) : call.constantInts(index, name);
  const bounds = (name: string, index: number): readonly Dim[] => {
    const given = isOld ? call.ints(name) : call.sizes(index, name);
    return given ?? call.wrong(`${name} must be given`, "none");
  };
  const starts = bounds("starts", 1);
  const ends = bounds("ends", 2);
  const listed = read("axes", 3) ?? starts.map((_, index) => index);
  const steps = (isOld ? undefined : read("steps", 4)) ?? starts.map(() => 1);
  if ([ends, listed, steps].some((list) => list.length !== starts.length)) {
    call.wrong(
      "starts, ends, axes and steps must be of one length",
      formatShape([starts, ends, listed, steps].map((list) => list.length)),
    );
  }
  if (steps.includes(0)) call.wrong("steps must not be 0", formatShape(steps));
  const shape = call.shape(0);
  const axes = listed.map((axis) => call.axis(axis, shape.length));
  if (new Set(axes).size !== axes.length) call.wrong("axes must differ", formatShape(axes));
  // `x[:]` on an axis of unknown size keeps it whole; shape inference could not know that.
  const kept = axes.flatMap((axis, at) => {
    const isFar = ends[at] === shape[axis] || Number(ends[at]) >= 2 ** 31 - 1;
    const isWhole = starts[at] === 0 && steps[at] === 1 && isFar;
    return isWhole && typeof shape[axis] === "string" ? [] : [at];
  });
  const pick = <T>(list: readonly T[]) => kept.flatMap((at) => list.slice(at, at + 1));
  const [inputs, outputs] = [[call.input(0)], [call.output()]];
  call.scope.add({
    op: "Slice",
    name: call.name,
    inputs,
    outputs,
    axes: pick(axes),
    starts: pick(starts),
    ends: pick(ends),
    steps: pick(steps),
  });
}

/** Sizes: an attribute before opset 13, an input since, or equal parts (the last may be smaller). */
export function Split(call: Call): void {
  const shape = call.shape(0);
  const axis = call.axis(call.int("axis", 0), shape.length);
  const parts = call.proto.outputs.length;
  const count = call.int("num_outputs", parts);
  if (count !== parts) call.wrong(`num_outputs must be ${parts}`, String(count));
  const isStated = call.optional(1) !== undefined || call.has("num_outputs");
  if (call.opset >= 18 && !isStated) call.wrong("split or num_outputs must be given", "neither");
  const size = shape[axis];
  if (typeof size !== "number")
    return call.refuse(`splitting the size "${size}", unknown at import`);
  const given = call.opset < 13 ? call.ints("split") : call.constantInts(1, "split");
  const equal = Math.ceil(size / parts);
  const sizes =
    given ?? call.proto.outputs.map((_, at) => Math.max(0, Math.min(equal, size - at * equal)));
  const sum = sizes.reduce((total, part) => total + part, 0);
  if (sizes.length !== parts || sum !== size || sizes.some((part) => part < 0)) {
    call.wrong(`split must be ${parts} sizes with the sum ${size}`, formatShape(sizes));
  }
  if (!given && call.opset < 18 && size % parts !== 0) {
    call.wrong(`${size} must divide into ${parts} equal parts`, `a rest of ${size % parts}`);
  }
  const outputs = call.proto.outputs.map((_, index) => call.output(index));
  call.scope.add({ op: "Split", name: call.name, inputs: [call.input(0)], outputs, axis, sizes });
}
