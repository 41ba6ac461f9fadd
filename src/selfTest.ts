// Known answers before trust: once a device, small integer graphs run on it and on the CPU reference,
// and must agree. Adapters that round products differently are found here, not in somebody's logits.

import { SelfTestError } from "./errors.ts";
import { Joint } from "./flow/joint.ts";
import { bindShapes } from "./graph/bind.ts";
import { GraphBuilder } from "./graph/builder.ts";
import type { Graph } from "./graph/graph.ts";
import type { QParams } from "./graph/value.ts";
import type { Device } from "./gpu/device.ts";
import { onlyFamily, targetOf } from "./plan/target.ts";
import { interpret } from "./reference/interpret.ts";
import { Session } from "./session.ts";
import { float32, tensor, type Tensor } from "./tensor/tensor.ts";

export interface SelfTestReport {
  /** Kernel family → number of values that differ from the reference. */
  readonly mismatches: Readonly<Record<string, number>>;
  /** "exact", or "within 1 LSB" where this adapter rounds products another way. */
  readonly rounding: "exact" | "within 1 LSB";
  /** Wall time, ms. */
  readonly ms: number;
}

export interface SelfTestOptions {
  readonly signal?: AbortSignal;
  /** Kernel families that were tried, of so many. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** Of devices that are done or under way; a failure is never kept. */
const reports = new WeakMap<Device, Joint<SelfTestReport>>();

/** Run the self-test, once a device. Throws SelfTestError where a kernel family is wrong, at once
 *  where the device is lost or disposed, and the reason of the signal. What fails is tried again by the next call. */
export async function selfTest(
  device: Device,
  { signal, onProgress }: SelfTestOptions = {},
): Promise<SelfTestReport> {
  device.check();
  signal?.throwIfAborted();
  let report = reports.get(device);
  if (!report || report.isOver) {
    report = new Joint((stop) => runSelfTest(device, stop, onProgress));
    reports.set(device, report);
  }
  return await report.wait(signal);
}

const perTensor = (
  scale: number,
  zeroPoint: number,
  dtype: "uint8" | "int8" = "uint8",
): QParams => ({
  dtype,
  scale: Float32Array.of(scale),
  zeroPoint: Int32Array.of(zeroPoint),
});

/** Pseudo-random bytes −128 … 127, the same everywhere. */
function bytes(length: number, seed: number): Int8Array {
  let state = seed;
  return Int8Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return state >> 24;
  });
}

/** One graph per kernel family: quantize, the op, and the integers it leaves. */
function families(): Map<string, Graph> {
  const make = (build: (builder: GraphBuilder, x: string) => string): Graph => {
    const builder = new GraphBuilder();
    builder.input("x", { dtype: "float32", shape: [1, 7, 6, 5] });
    builder.add(
      { op: "Quantize", name: "quantize", inputs: ["x"], outputs: ["q"] },
      { quant: perTensor(0.5, 131) },
    );
    return builder.build("selfTest", ["x"], [build(builder, "q")]);
  };
  const conv = (builder: GraphBuilder, x: string, group: number, outs: number): string => {
    const perGroup = 7 / group;
    const scale = Float32Array.from({ length: outs }, (_, c) => 0.01 * (c + 1));
    const quant: QParams = { dtype: "int8", scale, zeroPoint: new Int32Array(outs), axis: 0 };
    const filter = tensor("int8", [outs, perGroup, 3, 3], bytes(outs * perGroup * 9, 7 + group));
    const bias = tensor(
      "int32",
      [outs],
      Int32Array.from({ length: outs }, (_, c) => c * 37 - 90),
    );
    builder.constant("filter", filter, quant);
    builder.constant("bias", bias, {
      dtype: "int32",
      scale: scale.map((s) => Math.fround(0.5 * s)),
      zeroPoint: new Int32Array(outs),
      axis: 0,
    });
    return builder.add(
      {
        op: "Conv",
        name: "conv",
        inputs: [x, "filter", "bias"],
        outputs: ["y"],
        kernel: [3, 3],
        strides: [2, 1],
        dilations: [1, 1],
        pads: [1, 0, 1, 2],
        group,
        low: 0,
      },
      { quant: perTensor(3, 5) },
    );
  };
  return new Map([
    ["quantize", make((_, x) => x)],
    ["convolution", make((builder, x) => conv(builder, x, 1, 6))],
    ["depthwise convolution", make((builder, x) => conv(builder, x, 7, 7))],
    [
      "add",
      make((builder, x) =>
        builder.add(
          { op: "Add", name: "add", inputs: [x, x], outputs: ["y"] },
          { quant: perTensor(0.9, 100) },
        ),
      ),
    ],
    [
      "mean",
      make((builder, x) =>
        builder.add(
          { op: "GlobalAveragePool", name: "mean", inputs: [x], outputs: ["y"] },
          { quant: perTensor(0.1, 77) },
        ),
      ),
    ],
  ]);
}

/** Half-steps of both signs, the values at which rounding rules differ. */
function ties(): Tensor {
  return float32(
    [1, 7, 6, 5],
    Float32Array.from({ length: 210 }, (_, index) => (index - 105) * 0.25 + 0.125 * (index % 3)),
  );
}

async function runSelfTest(
  device: Device,
  signal: AbortSignal,
  onProgress: SelfTestOptions["onProgress"],
): Promise<SelfTestReport> {
  const start = performance.now();
  const mismatches: Record<string, number> = {};
  let worst = 0;
  let worstFamily = "";
  const inputs = { x: ties() };
  const target = targetOf(device.facts);
  const graphs = [...families()].map(([family, graph]) => ({ family, graph, target }));
  const convolution = graphs.find(({ family }) => family === "convolution");
  if (target.matrix && convolution) {
    const byMatrices = onlyFamily(target, "matrix");
    graphs.push({ ...convolution, family: "convolution by matrices", target: byMatrices });
  }
  for (const [done, { family, graph, target }] of graphs.entries()) {
    using session = new Session(graph, device, target);
    const [output = ""] = graph.outputs;
    const got = (await session.run(inputs, { signal }))[output]?.data as Uint8Array;
    const want = interpret(bindShapes(graph, new Map()), inputs).get(output)?.data as Uint8Array;
    let count = 0;
    want.forEach((value, index) => {
      const difference = Math.abs(value - (got[index] ?? NaN));
      if (difference === 0) return;
      count++;
      if (!(difference <= worst)) [worst, worstFamily] = [difference, family];
    });
    mismatches[family] = count;
    onProgress?.(done + 1, graphs.length);
  }
  if (!(worst <= 1)) {
    throw new SelfTestError(
      `self-test: ${worstFamily} must equal the reference; got a difference of ${worst} on adapter ` +
        `${device.facts.vendor} ${device.facts.architecture}. Update the graphics driver, or use another adapter.`,
    );
  }
  return {
    mismatches,
    rounding: worst === 0 ? "exact" : "within 1 LSB",
    ms: performance.now() - start,
  };
}
