// What a network weighs before and after: the files that `save` writes, in megabytes of 10^6 bytes, as
// PyTorch's tutorials report them.

import { expect, it } from "vitest";
import { models, save } from "../../../src/index.ts";
import type { StateEntry } from "../../../src/formats/torch/stateDict.ts";
import { parametersOf, type ArchitectureName } from "../../../src/models/architectures.ts";
import { float32, sizeOf, tensor } from "../../../src/tensor/tensor.ts";
import { counted } from "../../support/torchModels.ts";

/** A state dict of the right names and shapes; no two are equal, or they would be stored once for both. */
function stateOf(name: ArchitectureName, quantize: boolean, perChannel: boolean) {
  const state = new Map<string, StateEntry>();
  for (const [key, shape] of parametersOf(name, { quantize })) {
    const some = (length: number) => counted(key, length).map((u) => 0.02 + 0.01 * u);
    if (quantize && key.endsWith(".weight")) {
      const scale = some(perChannel ? (shape[0] ?? 1) : 1);
      const zeroPoint = new Int32Array(scale.length);
      const quant = {
        dtype: "int8",
        scale,
        zeroPoint,
        ...(perChannel ? { axis: 0 } : {}),
      } as const;
      const codes = new Int8Array(sizeOf(shape));
      counted(key, Math.min(16, codes.length)).forEach(
        (u, at) => (codes[at] = Math.round(100 * u)),
      );
      state.set(key, { tensor: tensor("int8", shape, codes), quant });
    } else if (key.endsWith(".zero_point")) {
      state.set(key, { tensor: tensor("int64", [], BigInt64Array.of(3n)) });
    } else {
      const values = key.endsWith(".scale") ? some(1) : new Float32Array(sizeOf(shape));
      if (values.length > 1) values.set(some(Math.min(16, values.length)));
      state.set(key, { tensor: float32(shape, values) });
    }
  }
  return state;
}

const megabytes = (bytes: Uint8Array) => bytes.length / 1e6;

it.each([
  {
    title: "MobileNetV2",
    name: "mobilenet_v2",
    make: models.mobilenetV2,
    before: 14.2,
    after: 3.7,
  },
  { title: "ResNet-50", name: "resnet50", make: models.resnet50, before: 102.5, after: 25.8 },
] as const)(
  "$title: $before → at most $after MB",
  async ({ title, name, make, before, after }) => {
    const float = save(await make({ weights: stateOf(name, false, false), quantize: false }));
    const state = stateOf(name, true, name === "resnet50");
    const quantized = save(await make({ weights: state, quantize: true }));
    console.log(
      `${title}: ${megabytes(float).toFixed(2)} → ${megabytes(quantized).toFixed(2)} MB (QDQ ONNX)`,
    );
    expect(megabytes(float)).toBeCloseTo(before, 0);
    expect(megabytes(quantized)).toBeLessThanOrEqual(after);
  },
  60_000,
);
