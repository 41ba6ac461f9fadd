// Ops that move elements, and those that do nothing to them. A view shares its source's memory, which
// matters where an in-place op follows: values.ts.

import type { Dim } from "../../../../graph/value.ts";
import { StridedTensor } from "../../pickled.ts";
import type { Call } from "../call.ts";
import type { Draft } from "../translator.ts";
import { Traced, type Thing } from "../values.ts";

type Op = (call: Call) => Thing;

function view(call: Call, draft: (shape: readonly Dim[]) => Draft): Traced {
  const x = call.traced(0);
  const { shape, quant } = call.type(x);
  const added = call.add({ ...draft(shape), inputs: [call.translator.name(x)] }, quant);
  return new Traced(added.value, x);
}

/** The same elements, perhaps in other memory. */
const same: Op = (call) => {
  const x = call.at(0);
  return x instanceof Traced ? new Traced(call.translator.name(x), x) : x;
};

const flatten: Op = (call) =>
  view(call, (shape) => {
    const first = call.axis(call.number(1, 0), shape.length);
    const last = call.axis(call.number(2, -1), shape.length);
    if (first === 1 && last === shape.length - 1) return { op: "Flatten", axis: 1, inputs: [] };
    // 0 copies a size at the same place.
    const target: Dim[] = [...shape.slice(0, first).map(() => 0), -1, ...shape.slice(last + 1)];
    return { op: "Reshape", shape: target, inputs: [] };
  });

const reshape: Op = (call) =>
  view(call, () => {
    const shape = call.sizes(1);
    const numbers = shape.filter((dim) => typeof dim === "number");
    const inferred = numbers.filter((dim) => dim === -1).length;
    if (inferred > 1 || numbers.some((dim) => dim < -1 || dim === 0)) {
      throw call.fail(`[${shape.join(", ")}] is no shape`);
    }
    return { op: "Reshape", shape, inputs: [] };
  });

const permute: Op = (call) =>
  view(call, (shape) => {
    const perm = call.numbers(1).map((axis) => call.axis(axis, shape.length));
    if (perm.length !== shape.length || new Set(perm).size !== perm.length) {
      throw call.fail(`[${perm.join(", ")}] must name every axis once`);
    }
    return { op: "Transpose", perm, inputs: [] };
  });

const transpose: Op = (call) => {
  const source = call.at(0);
  const rank =
    source instanceof StridedTensor ? source.size.length : call.type(call.traced(0)).shape.length;
  const [a, b] = [call.axis(call.number(1), rank), call.axis(call.number(2), rank)];
  const swapped = Array.from({ length: rank }, (_, axis) =>
    axis === a ? b : axis === b ? a : axis,
  );
  if (source instanceof StridedTensor && !source.scheme) {
    const by = (list: readonly number[]) => swapped.map((axis) => list[axis] ?? 0);
    return new StridedTensor(source.storage, source.offset, by(source.size), by(source.stride));
  }
  return view(call, () => ({ op: "Transpose", perm: swapped, inputs: [] }));
};

const unsqueeze: Op = (call) =>
  view(call, (shape) => {
    const axis = call.axis(call.number(1), shape.length + 1);
    return { op: "Unsqueeze", axes: [axis], inputs: [] };
  });

const squeeze: Op = (call) =>
  view(call, (shape) => {
    const axis = call.axis(call.number(1), shape.length);
    if (shape[axis] !== 1) throw call.fail(`axis ${axis} must have size 1`);
    return { op: "Squeeze", axes: [axis], inputs: [] };
  });

/** A size that must be a number here. */
function known(call: Call, shape: readonly Dim[], axis: number): number {
  const size = shape[axis];
  if (typeof size === "number") return size;
  throw call.fail(`axis ${axis} must have a known size`);
}

/** Parts of `sizes` along an axis, as views. */
function split(call: Call, axis: number, sizes: readonly number[]): Traced[] {
  const x = call.traced(0);
  const { quant } = call.type(x);
  const draft = { op: "Split", axis, sizes, inputs: [call.translator.name(x)] } as const;
  const parts = call.translator.addMany(draft, call.label, sizes.length, quant);
  return parts.map((part) => new Traced(part.value, x));
}

function evenParts(call: Call, part: (size: number) => number): Traced[] {
  const { shape } = call.type(call.traced(0));
  const axis = call.axis(call.number(2, 0), shape.length);
  const size = known(call, shape, axis);
  const length = part(size);
  if (!(length >= 1) || size / length > 1024) throw call.fail("its parts must be 1 … 1024");
  const count = Math.ceil(size / length);
  const sizes = Array.from({ length: count }, (_, at) => Math.min(length, size - at * length));
  return split(call, axis, sizes);
}

const chunk: Op = (call) => evenParts(call, (size) => Math.ceil(size / call.number(1)));

const splitOp: Op = (call) => {
  if (typeof call.at(1) === "number") return evenParts(call, () => call.number(1));
  const { shape } = call.type(call.traced(0));
  const axis = call.axis(call.number(2, 0), shape.length);
  const sizes = call.numbers(1);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  if (total !== known(call, shape, axis) || sizes.some((size) => !(size >= 0))) {
    throw call.fail(`parts [${sizes.join(", ")}] must fill axis ${axis}`);
  }
  return split(call, axis, sizes);
};

function slicing(axis: number, start: number, end: number, step: number): Draft {
  return { op: "Slice", axes: [axis], starts: [start], ends: [end], steps: [step], inputs: [] };
}

const LAST = 2 ** 31 - 1; // "to the end" is 2⁶³ − 1 in the code

/** slice(x, axis, start, end, step). */
const slice: Op = (call) => {
  const { shape } = call.type(call.traced(0));
  const axis = call.axis(call.number(1, 0), shape.length);
  const [start, step] = [call.number(2, 0), call.number(4, 1)];
  const end = Math.min(call.number(3, LAST), LAST);
  if (start === 0 && end === LAST && step === 1) return same(call);
  if (!(step >= 1)) throw call.fail("its step must be 1 or more");
  return view(call, () => slicing(axis, start, end, step));
};

/** select(x, axis, index): the slice without its axis. */
const select: Op = (call) => {
  const x = call.traced(0);
  const { shape, quant } = call.type(x);
  const axis = call.axis(call.number(1), shape.length);
  const size = known(call, shape, axis);
  const index = call.axis(call.number(2), size);
  const inputs = [call.translator.name(x)];
  const sliced = call.add({ ...slicing(axis, index, index + 1, 1), inputs } as Draft, quant);
  const squeezed = call.add({ op: "Squeeze", axes: [axis], inputs: [sliced.value] }, quant);
  return new Traced(squeezed.value, x);
};

/** cat([…], axis), and quantized with a scale and zero point, which are the first part's by default. */
const cat =
  (relu: boolean): Op =>
  (call) => {
    const parts = call.list(0).map((part) => call.asTraced(part, "a part"));
    const [first] = parts;
    if (!first) throw call.fail("it joins nothing");
    const { shape, quant } = call.type(first);
    if (parts.some((part) => (call.type(part).quant === undefined) !== (quant === undefined))) {
      throw call.fail("its parts must be all quantized or all float");
    }
    const axis = call.axis(call.number(1, 0), shape.length);
    const states = quant && call.op !== "torch.cat" && call.at(2) !== null;
    const to = states ? call.qparams(call.number(2), call.number(3), quant.dtype) : quant;
    const inputs = parts.map((part) => call.translator.name(part));
    const joined = call.add({ op: "Concat", axis, inputs }, to);
    return relu ? call.add({ op: "Relu", inputs: [joined.value] }, to) : joined;
  };

/** constant_pad_nd(x, [before, after of the last axis, …], value). */
const constantPad = (call: Call, value: number) => {
  const x = call.traced(0);
  const { shape, quant } = call.type(x);
  const sizes = call.numbers(1);
  if (sizes.length % 2 !== 0 || sizes.length > 2 * shape.length || sizes.some((size) => size < 0)) {
    throw call.fail("its sizes must be a pair per axis, from the last one on, and not negative");
  }
  const at = (axis: number, side: 0 | 1) => sizes[2 * (shape.length - 1 - axis) + side] ?? 0;
  const pads = ([0, 1] as const).flatMap((side) => shape.map((_, axis) => at(axis, side)));
  const inputs = [call.translator.name(x)];
  return call.add({ op: "Pad", pads, value, inputs }, quant);
};

/** pad(x, sizes, mode, value). */
const pad: Op = (call) => {
  if ((call.at(2) ?? "constant") !== "constant") throw call.fail(`mode must be "constant"`);
  return constantPad(call, call.number(3, 0));
};

/** dropout(x, p, training). */
const dropout: Op = (call) => {
  if (call.flag(2, false))
    throw call.fail("the model was saved in training mode; put it into evaluation mode first");
  return call.at(0);
};

/** to(x, …): another device is nothing here, another dtype would be. */
const to: Op = (call) => {
  const dtype = call.args.slice(1).find((value) => typeof value === "number");
  if (dtype !== undefined && dtype !== 6)
    throw call.fail(`dtype ${String(dtype)} must be float (6)`);
  return same(call);
};

export const movement: Readonly<Record<string, Op>> = {
  "torch.flatten": flatten,
  "torch.reshape": reshape,
  "torch.view": reshape,
  "torch.permute": permute,
  "torch.transpose": transpose,
  "torch.unsqueeze": unsqueeze,
  "torch.squeeze": squeeze,
  "torch.chunk": chunk,
  "torch.split": splitOp,
  "torch.split_with_sizes": splitOp,
  "torch.slice": slice,
  "torch.select": select,
  "torch.cat": cat(false),
  "ops.quantized.cat": cat(false),
  "ops.quantized.cat_relu": cat(true),
  "torch.pad": pad,
  "torch.constant_pad_nd": (call) => constantPad(call, call.number(2, 0)),
  "torch.dropout": dropout,
  "torch.feature_dropout": dropout,
  "torch.to": to,
  "torch.contiguous": same,
  "torch.detach": same,
  "torch.alias": same,
  "torch.clone": (call) => {
    const x = call.at(0);
    return x instanceof Traced ? new Traced(call.translator.name(x)) : x;
  },
};
