// MatMul, Gemm, and the ops that reduce or normalise: sums over an axis.

import type { ArgReduce, Reduce } from "../../../graph/node.ts";
import { formatShape, tensor } from "../../../tensor/tensor.ts";
import type { Call } from "../call.ts";

export function MatMul(call: Call): void {
  if (call.rank(0) === 0 || call.rank(1) === 0) call.wrong("inputs must have axes", "a scalar");
  const inputs = [call.input(0), call.input(1)];
  call.scope.add({ op: "MatMul", name: call.name, inputs, outputs: [call.output()] });
}

export function Gemm(call: Call): void {
  const [a, b] = [call.shape(0), call.shape(1)];
  if (a.length !== 2 || b.length !== 2) {
    call.wrong("both matrices must have 2 axes", `${formatShape(a)} and ${formatShape(b)}`);
  }
  const [transA, transB] = [call.flag("transA"), call.flag("transB")];
  const c = call.optional(2);
  if (c !== undefined) {
    const out = [a[transA ? 1 : 0] ?? 1, b[transB ? 0 : 1] ?? 1];
    const shape = call.shape(2);
    const fits = shape.every((dim, axis) => dim === 1 || dim === out[axis + 2 - shape.length]);
    if (shape.length > 2 || !fits) {
      call.wrong(`c must broadcast to ${formatShape(out)}`, formatShape(shape));
    }
  }
  const inputs = [call.input(0), call.input(1), ...(c === undefined ? [] : [c])];
  const [alpha, beta] = [call.float("alpha", 1), call.float("beta", 1)];
  const node = { name: call.name, inputs, outputs: [call.output()] };
  call.scope.add({ op: "Gemm", ...node, alpha, beta, transA, transB });
}

/** Inference only: running statistics in, one output. */
export function BatchNormalization(call: Call): void {
  if (call.flag("training_mode")) call.refuse("training_mode is not supported");
  if (!call.flag("spatial", true)) call.refuse("spatial=0 is not supported");
  if ([1, 2, 3, 4].some((index) => call.isUsed(index))) {
    call.refuse("statistics as outputs are training; only inference is supported");
  }
  const inputs = [0, 1, 2, 3, 4].map((index) => call.input(index));
  for (const index of [1, 2, 3, 4]) call.fixed(index, "the statistics");
  const channels = call.shape(0)[1] ?? call.wrong("x must have 2 axes or more", "fewer");
  for (const index of [1, 2, 3, 4]) {
    if (formatShape(call.shape(index)) !== `[${channels}]`) {
      call.wrong(`input ${index} must have shape [${channels}]`, formatShape(call.shape(index)));
    }
  }
  const epsilon = call.float("epsilon", Math.fround(1e-5));
  const outputs = [call.output()];
  call.scope.add({ op: "BatchNormalization", name: call.name, inputs, outputs, epsilon });
}

/** stash_type 1: computed in float32. Mean and 1 / √(variance + epsilon), where a file asks for them, are nodes
 *  of their own. */
export function LayerNormalization(call: Call): void {
  if (call.int("stash_type", 1) !== 1) call.refuse("a stash_type other than 1 is not supported");
  const axis = call.axis(call.int("axis", -1), call.rank(0));
  const epsilon = call.float("epsilon", Math.fround(1e-5));
  const bias = call.optional(2);
  const inputs = [call.input(0), call.input(1), ...(bias === undefined ? [] : [bias])];
  const outputs = [call.output()];
  call.scope.add({ op: "LayerNormalization", name: call.name, inputs, outputs, axis, epsilon });
  if (call.isUsed(1) || call.isUsed(2)) moments(call, axis, epsilon);
}

/** Outputs 1 and 2 of a LayerNormalization. */
function moments(call: Call, axis: number, epsilon: number): void {
  const { scope } = call;
  const axes = call.shape(0).flatMap((_, at) => (at >= axis ? [at] : []));
  const node = (what: string, output = call.fresh(`${call.output()}_${what}`)) => {
    return { name: scope.nodeNames.fresh(`${call.name}_${what}`), outputs: [output] };
  };
  const [mean, center, square] = [node("mean", call.output(1)), node("center"), node("square")];
  const [variance, sum, root] = [node("variance"), node("sum"), node("root")];
  const inverse = node("inverse", call.output(2));
  const [eps, x] = [call.fresh(`${call.output()}_epsilon`), call.input(0)];
  scope.setConstant(eps, tensor("float32", [], Float32Array.of(epsilon)));
  scope.add({ op: "ReduceMean", ...mean, inputs: [x], axes, keepdims: true });
  scope.add({ op: "Sub", ...center, inputs: [x, ...mean.outputs] });
  scope.add({ op: "Mul", ...square, inputs: [...center.outputs, ...center.outputs] });
  scope.add({ op: "ReduceMean", ...variance, inputs: square.outputs, axes, keepdims: true });
  scope.add({ op: "Add", ...sum, inputs: [...variance.outputs, eps] });
  scope.add({ op: "Sqrt", ...root, inputs: sum.outputs });
  scope.add({ op: "Reciprocal", ...inverse, inputs: root.outputs });
}

/** axes: an attribute before opset 18 (13 for ReduceSum), an input since. None: all axes, or none if noop is set. */
function reducing(op: Reduce["op"], since = 18) {
  return (call: Call): void =>
    reduce(call, op, (call.opset < since ? call.ints("axes") : call.constantInts(1, "axes")) ?? []);
}

export const ReduceMean = reducing("ReduceMean");
export const ReduceSum = reducing("ReduceSum", 13);
export const ReduceMax = reducing("ReduceMax");
export const ReduceMin = reducing("ReduceMin");
export const ReduceProd = reducing("ReduceProd");
export const ReduceL1 = reducing("ReduceL1");
export const ReduceL2 = reducing("ReduceL2");
export const ReduceSumSquare = reducing("ReduceSumSquare");

export function reduce(call: Call, op: Reduce["op"], given: readonly number[]): void {
  const rank = call.rank(0);
  const [inputs, outputs] = [[call.input(0)], [call.output()]];
  if (given.length === 0 && call.flag("noop_with_empty_axes")) {
    return overNoAxes(call, op, { name: call.name, inputs, outputs });
  }
  const axes = given.length === 0 ? call.shape(0).map((_, axis) => axis) : call.axes(given, rank);
  const keepdims = call.flag("keepdims", true);
  call.scope.add({ op, name: call.name, inputs, outputs, axes, keepdims });
}

/** Each element reduced alone. */
function overNoAxes(
  call: Call,
  op: Reduce["op"],
  node: { readonly name: string; readonly inputs: string[]; readonly outputs: string[] },
): void {
  const [x = ""] = node.inputs;
  if (op === "ReduceSumSquare") return call.scope.add({ op: "Mul", ...node, inputs: [x, x] });
  const isLength = op === "ReduceL1" || op === "ReduceL2";
  call.scope.add({ op: isLength ? "Abs" : "Identity", ...node });
}

function arg(op: ArgReduce["op"]) {
  return (call: Call): void => {
    const [inputs, outputs] = [[call.input(0)], [call.output()]];
    const axis = call.axis(call.int("axis", 0), call.rank(0));
    const [keepdims, selectLastIndex] = [
      call.flag("keepdims", true),
      call.flag("select_last_index"),
    ];
    call.scope.add({ op, name: call.name, inputs, outputs, axis, keepdims, selectLastIndex });
  };
}

export const ArgMax = arg("ArgMax");
export const ArgMin = arg("ArgMin");

/**
 * Since opset 13 along one axis. Before, the input counts as a matrix: rows are the axes before `axis`,
 * columns all the rest, so a Flatten and a Reshape go around it where more than one axis is left.
 */
export function Softmax(call: Call): void {
  softmax(call, call.opset < 13);
}

export function LogSoftmax(call: Call): void {
  softmax(call, call.opset < 13, "LogSoftmax");
}

export function softmax(
  call: Call,
  isOld: boolean,
  op: "Softmax" | "LogSoftmax" = "Softmax",
): void {
  const shape = call.shape(0);
  const rank = shape.length;
  const axis = call.axis(call.int("axis", isOld ? 1 : -1), rank, isOld ? rank + 1 : rank);
  const { scope, name } = call;
  const [inputs, outputs] = [[call.input(0)], [call.output()]];
  const longer = shape.map((_, at) => at).filter((at) => at >= axis && shape[at] !== 1);
  if (!isOld || (longer.length <= 1 && axis < rank)) {
    const along = isOld ? (longer[0] ?? axis) : axis;
    return scope.add({ op, name, inputs, outputs, axis: along });
  }
  const [rows, columns] = [call.fresh(`${call.output()}_2d`), call.fresh(`${call.output()}_rows`)];
  const [flatten, reshape] = [`${name}_flatten`, `${name}_reshape`].map((wanted) =>
    scope.nodeNames.fresh(wanted),
  );
  scope.add({ op: "Flatten", name: flatten ?? "", inputs, outputs: [rows], axis });
  scope.add({ op, name, inputs: [rows], outputs: [columns], axis: 1 });
  scope.add({ op: "Reshape", name: reshape ?? "", inputs: [columns], outputs, shape: [...shape] });
}
