// Conv and the pools with a window. ONNX spells padding in four ways; here it becomes four numbers. A 1-D
// window runs as a 2-D one of height 1: Unsqueeze → op → Squeeze.

import { InputError } from "../../../errors.ts";
import { formatShape } from "../../../tensor/tensor.ts";
import type { Window } from "../../../graph/node.ts";
import type { Dim } from "../../../graph/value.ts";
import type { Call } from "../call.ts";

/** https://onnx.ai/onnx/operators/onnx__Conv.html */
export function Conv(call: Call): void {
  convolution(call, (inputs, outputs, window) => {
    call.scope.add({ op: "Conv", name: call.name, inputs, outputs, ...window });
  });
}

type AddConvolution = (
  inputs: readonly string[],
  outputs: readonly string[],
  window: Window & { readonly group: number },
) => void;

/** inputs: x, filter, bias?; `add` gets them in 2-D. */
export function convolution(call: Call, add: AddConvolution): void {
  const filter = call.shape(1);
  call.fixed(1, "the filter");
  call.fixed(2, "the bias");
  const rank = spatialRank(call);
  if (filter.length !== rank + 2) {
    call.wrong(`the filter must have ${rank + 2} axes`, formatShape(filter));
  }
  const kernel = filter.slice(2).map((dim) => (typeof dim === "number" ? dim : 0));
  const stated = call.ints("kernel_shape") ?? kernel;
  if (formatShape(stated) !== formatShape(kernel)) {
    call.wrong(`kernel_shape must be ${formatShape(kernel)}`, formatShape(stated));
  }
  const group = call.int("group", 1);
  if (group < 1) call.wrong("group must be at least 1", String(group));
  const bias = call.optional(2);
  if (bias !== undefined && formatShape(call.shape(2)) !== formatShape(filter.slice(0, 1))) {
    call.wrong(`the bias must have shape [${filter[0]}]`, formatShape(call.shape(2)));
  }
  const window = windowOf(call, kernel);
  in2d(call, (x, output) => {
    const weights =
      rank === 1 ? unsqueeze(call, call.input(1), `${call.name}_filter`) : call.input(1);
    const inputs = bias === undefined ? [x, weights] : [x, weights, bias];
    add(inputs, [output], { ...window, group });
  });
}

export function AveragePool(call: Call): void {
  const window = poolWindow(call);
  const countIncludePad = call.flag("count_include_pad");
  const ceilMode = call.flag("ceil_mode");
  in2d(call, (x, output) => {
    const node = { name: call.name, inputs: [x], outputs: [output], ...window };
    call.scope.add({ op: "AveragePool", ...node, countIncludePad, ceilMode });
  });
}

export function MaxPool(call: Call): void {
  if (call.isUsed(1)) call.refuse("the Indices output is not supported");
  const window = poolWindow(call);
  const ceilMode = call.flag("ceil_mode");
  in2d(call, (x, output) => {
    const node = { name: call.name, inputs: [x], outputs: [output], ...window };
    call.scope.add({ op: "MaxPool", ...node, ceilMode });
  });
}

export function GlobalAveragePool(call: Call): void {
  if (call.rank(0) < 3)
    call.wrong("the input must have 3 axes or more", formatShape(call.shape(0)));
  const [inputs, outputs] = [[call.input(0)], [call.output()]];
  call.scope.add({ op: "GlobalAveragePool", name: call.name, inputs, outputs });
}

/** 1 or 2; windows over more axes are refused. */
function spatialRank(call: Call): 1 | 2 {
  const rank = call.rank(0) - 2;
  if (rank < 1) call.wrong("the input must have 3 axes or more", formatShape(call.shape(0)));
  if (rank > 2) call.refuse(`windows over ${rank} axes are not supported; 1 or 2 are`);
  return rank as 1 | 2;
}

/** Add Unsqueeze and Squeeze around `add` where the input has one spatial axis. */
function in2d(call: Call, add: (x: string, output: string) => void): void {
  if (spatialRank(call) === 2) return add(call.input(0), call.output());
  const flat = call.fresh(`${call.output()}_2d`);
  add(unsqueeze(call, call.input(0), `${call.name}_input`), flat);
  const name = call.scope.nodeNames.fresh(`${call.name}_squeeze`);
  const outputs = [call.output()];
  call.scope.add({ op: "Squeeze", name, inputs: [flat], outputs, axes: [2] });
}

function unsqueeze(call: Call, input: string, wanted: string): string {
  const name = call.scope.nodeNames.fresh(`${wanted}_unsqueeze`);
  const output = call.fresh(`${wanted}_2d`);
  call.scope.add({ op: "Unsqueeze", name, inputs: [input], outputs: [output], axes: [2] });
  return output;
}

/** The window of a pool. A place that has nothing but padding would hold no element of x. */
function poolWindow(call: Call): Window {
  const kernel = call.ints("kernel_shape");
  const pads = call.ints("pads") ?? [];
  if (kernel && pads.some((pad, at) => pad >= (kernel[at % kernel.length] ?? 1)))
    call.wrong(`pads must be less than kernel_shape ${formatShape(kernel)}`, formatShape(pads));
  return windowOf(call, kernel);
}

/** The window of `call` in 2-D, its padding resolved. */
function windowOf(call: Call, kernel: readonly number[] | undefined): Window {
  const rank = spatialRank(call);
  const list = (name: string, length: number, fallback: number, least: number): number[] => {
    const values = call.ints(name) ?? Array.from({ length }, () => fallback);
    if (values.length === length && values.every((value) => value >= least)) return values;
    return call.wrong(
      `${name} must be ${length} numbers of at least ${least}`,
      formatShape(values),
    );
  };
  if (kernel === undefined || kernel.length !== rank || kernel.some((size) => size < 1)) {
    return call.wrong(`kernel_shape must be ${rank} positive sizes`, formatShape(kernel ?? []));
  }
  const strides = list("strides", rank, 1, 1);
  const dilations = list("dilations", rank, 1, 1);
  const explicit = list("pads", 2 * rank, 0, 0);
  const auto = call.string("auto_pad", "NOTSET");
  if (auto !== "NOTSET" && explicit.some((pad) => pad !== 0)) {
    call.wrong("pads and auto_pad exclude each other", `auto_pad=${auto}`);
  }
  const pads = [...explicit];
  if (auto === "SAME_UPPER" || auto === "SAME_LOWER") {
    for (let axis = 0; axis < rank; axis++) {
      const extent = (dilations[axis] ?? 1) * ((kernel[axis] ?? 1) - 1) + 1;
      const total = samePadding(call, call.shape(0)[axis + 2] ?? 1, extent, strides[axis] ?? 1);
      const less = Math.floor(total / 2);
      pads[axis] = auto === "SAME_UPPER" ? less : total - less;
      pads[axis + rank] = total - (pads[axis] ?? 0);
    }
  } else if (auto !== "NOTSET" && auto !== "VALID") {
    call.wrong("auto_pad must be NOTSET, SAME_UPPER, SAME_LOWER or VALID", auto);
  }
  const pair = (values: readonly number[], fill: number): [number, number] =>
    rank === 2 ? [values[0] ?? fill, values[1] ?? fill] : [fill, values[0] ?? fill];
  const [before, after] = [pair(pads.slice(0, rank), 0), pair(pads.slice(rank), 0)];
  return {
    kernel: pair(kernel, 1),
    strides: pair(strides, 1),
    dilations: pair(dilations, 1),
    pads: [...before, ...after],
  };
}

/** Zeros around one axis so that the output has ⌈size / stride⌉ elements. */
function samePadding(call: Call, size: Dim, extent: number, stride: number): number {
  if (stride === 1) return extent - 1;
  if (typeof size === "string") {
    throw new InputError(
      `${call.op} "${call.name}": auto_pad needs known sizes; got "${size}". ` +
        `Fix it when loading: load(bytes, { dims: { ${size}: 224 } }).`,
    );
  }
  return Math.max(0, (Math.ceil(size / stride) - 1) * stride + extent - size);
}
