// Hand-built graphs whose values are typed as convert types them: uint8 activations, int8 weights per
// channel, int32 biases with scale sx · s_c. Seeded, small, and valid for a runtime.

import { GraphBuilder } from "../../../src/graph/builder.ts";
import type { Graph } from "../../../src/graph/graph.ts";
import type { QParams } from "../../../src/graph/value.ts";
import { tensor } from "../../../src/tensor/tensor.ts";

/** Integers in [low, high], the same at every run. */
export function seeded(seed: number): (low: number, high: number) => number {
  let state = seed;
  return (low, high) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return low + Math.floor((state / 2 ** 32) * (high - low + 1));
  };
}

export function uint8(scale: number, zeroPoint: number): QParams {
  return {
    dtype: "uint8",
    scale: Float32Array.of(scale),
    zeroPoint: Int32Array.of(zeroPoint),
  };
}

/** x → Quantize → Conv → Conv → Add → GlobalAveragePool → Flatten → Gemm → Dequantize → y. */
export function typedNetwork(): Graph {
  const builder = new GraphBuilder();
  const random = seeded(7);
  const weights = (name: string, shape: readonly number[], xScale: number): void => {
    const channels = shape[0] ?? 0;
    const size = shape.reduce((product, dim) => product * dim, 1);
    const scale = Float32Array.from({ length: channels }, () => random(1, 9) / 1000);
    const zeroPoint = new Int32Array(channels);
    const data = Int8Array.from({ length: size }, () => random(-127, 127));
    builder.constant(`${name}.weight`, tensor("int8", shape, data), {
      dtype: "int8",
      scale,
      zeroPoint,
      axis: 0,
    });
    const bias = Int32Array.from({ length: channels }, () => random(-2000, 2000));
    builder.constant(`${name}.bias`, tensor("int32", [channels], bias), {
      dtype: "int32",
      zeroPoint,
      axis: 0,
      scale: scale.map((value) => Math.fround(xScale * value)),
    });
  };
  const window = {
    kernel: [3, 3],
    strides: [1, 1],
    dilations: [1, 1],
    pads: [1, 1, 1, 1],
  } as const;
  const point = { ...window, kernel: [1, 1], pads: [0, 0, 0, 0] } as const;
  const [xq, aq, bq, sq, lq] = [
    uint8(0.02, 128),
    uint8(0.047, 0),
    uint8(0.05, 121),
    uint8(0.061, 100),
    uint8(0.021, 115),
  ] as const;
  builder.input("x", { dtype: "float32", shape: [1, 3, 8, 8] });
  weights("conv1", [8, 3, 3, 3], 0.02);
  weights("conv2", [8, 8, 1, 1], 0.047);
  weights("fc", [5, 8], 0.061);
  const one = (name: string, input: string, output: string) => ({
    name,
    inputs: [
      input,
      ...(name.includes("conv") || name === "fc" ? [`${name}.weight`, `${name}.bias`] : []),
    ],
    outputs: [output],
  });
  builder.add({ op: "Quantize", ...one("quant", "x", "xq") }, { quant: xq });
  const conv = { op: "Conv", group: 1 } as const;
  builder.add({ ...conv, ...one("conv1", "xq", "a"), ...window, low: 0, high: 6 }, { quant: aq });
  builder.add({ ...conv, ...one("conv2", "a", "b"), ...point }, { quant: bq });
  builder.add({ op: "Add", name: "add", inputs: ["a", "b"], outputs: ["s"] }, { quant: sq });
  builder.add({ op: "GlobalAveragePool", ...one("pool", "s", "p") }, { quant: sq });
  builder.add({ op: "Flatten", ...one("flatten", "p", "f"), axis: 1 }, { quant: sq });
  const gemm = { op: "Gemm", alpha: 1, beta: 1, transA: false, transB: true } as const;
  builder.add({ ...gemm, ...one("fc", "f", "l") }, { quant: lq });
  builder.add({ op: "Dequantize", ...one("dequant", "l", "y") }, { dtype: "float32" });
  return builder.build("typed", ["x"], ["y"]);
}
