// Pools and means. All keep their input's parameters on quantized tensors: docs/quantization.md (36).

import type { Call } from "../call.ts";
import type { Draft } from "../translator.ts";
import type { Thing, Traced } from "../values.ts";

type Op = (call: Call) => Thing;

function keep(call: Call, x: Traced, draft: Draft): Traced {
  return call.add(draft, call.type(x).quant);
}

function window(call: Call, dilations: readonly [number, number]) {
  const kernel = call.pair(1, [1, 1]);
  const strides = call.pair(2, kernel);
  const [top, left] = call.pair(3, [0, 0]);
  if ([...kernel, ...strides, ...dilations].some((value) => !(value >= 1)) || top < 0 || left < 0) {
    throw call.fail("its window must be positive");
  }
  return { kernel, strides, dilations, pads: [top, left, top, left] as const };
}

/** (x, kernel, stride, padding, dilation, ceil mode). */
const maxPool: Op = (call) => {
  const x = call.traced(0);
  const shared = window(call, call.pair(4, [1, 1]));
  const inputs = [call.translator.name(x)];
  return keep(call, x, { op: "MaxPool", ...shared, ceilMode: call.flag(5, false), inputs });
};

/** (x, kernel, stride, padding, ceil mode, count include pad, divisor). */
const averagePool: Op = (call) => {
  const x = call.traced(0);
  if (call.at(6) !== null) throw call.fail("divisor_override is not supported");
  const shared = window(call, [1, 1]);
  const [ceilMode, countIncludePad] = [call.flag(4, false), call.flag(5, true)];
  const inputs = [call.translator.name(x)];
  return keep(call, x, { op: "AveragePool", ...shared, ceilMode, countIncludePad, inputs });
};

const adaptiveAveragePool: Op = (call) => {
  const x = call.traced(0);
  const { shape } = call.type(x);
  const wanted = call.twice(call.numbers(1), [1, 1]);
  const inputs = [call.translator.name(x)];
  if (shape.length !== 4) throw call.fail("its input must have 4 axes");
  if (wanted.every((size) => size === 1)) {
    const { rounded } = call.translator;
    return keep(call, x, { op: "GlobalAveragePool", inputs, ...rounded });
  }
  const sizes = [shape[2], shape[3]];
  const kernel = wanted.map((size, axis) => Number(sizes[axis]) / size);
  const [height = 0, width = 0] = kernel;
  if (!kernel.every((size) => Number.isInteger(size) && size >= 1)) {
    throw call.fail(`sizes [${sizes.join(", ")}] must be multiples of [${wanted.join(", ")}]`);
  }
  if (height === 1 && width === 1) return x;
  const pool = { kernel: [height, width], strides: [height, width] } as const;
  return keep(call, x, {
    op: "AveragePool",
    ...pool,
    dilations: [1, 1],
    pads: [0, 0, 0, 0],
    ceilMode: false,
    countIncludePad: true,
    inputs,
  });
};

const mean: Op = (call) => {
  const x = call.traced(0);
  const rank = call.type(x).shape.length;
  const axes = call.numbers(1).map((axis) => call.axis(axis, rank));
  if (axes.length === 0) throw call.fail("its axes must be given");
  const sorted = [...new Set(axes)].sort((a, b) => a - b);
  const inputs = [call.translator.name(x)];
  return keep(call, x, { op: "ReduceMean", axes: sorted, keepdims: call.flag(2, false), inputs });
};

export const windows: Readonly<Record<string, Op>> = {
  "torch.max_pool2d": maxPool,
  "torch.avg_pool2d": averagePool,
  "torch.adaptive_avg_pool2d": adaptiveAveragePool,
  "torch.mean": mean,
};
