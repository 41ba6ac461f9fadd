// load of bare weights: every architecture is recognised by its own names and shapes, and by no other's.

import { describe, expect, it } from "vitest";
import { tensorsOfStateDict, writeSafetensors } from "../../../src/formats/safetensors/index.ts";
import type { StateDict, StateEntry } from "../../../src/formats/torch/stateDict.ts";
import { load, models } from "../../../src/index.ts";
import { bestFit, fitsOf } from "../../../src/models/architectureOf.ts";
import {
  architectures,
  parametersOf,
  type ArchitectureName,
} from "../../../src/models/architectures.ts";
import { float32, sizeOf, type Tensor } from "../../../src/tensor/tensor.ts";
import { hasSharedData, readShared } from "../../support/sharedData.ts";
import { qatState, quantizedState, torchResults } from "../../support/torchModels.ts";

const zeros = new ArrayBuffer(4 * 2048 * 2048);
const floatZeros = (shape: readonly number[]): Tensor<"float32"> => ({
  dtype: "float32",
  shape,
  data: new Float32Array(zeros, 0, sizeOf(shape)),
});

/** The names, shapes and types of a state dict of `name`; `classes` of its last layer. */
function stateOf(name: ArchitectureName, quantize: boolean, classes?: number): StateDict {
  const state = new Map<string, StateEntry>();
  for (const [key, usual] of parametersOf(name, { quantize })) {
    const isHead = /^(fc|linear|classifier\.[13])\.(weight|bias)$/.test(key);
    const isLast = isHead && (usual[0] === 1000 || usual[0] === 10);
    const shape = isLast && classes !== undefined ? [classes, ...usual.slice(1)] : usual;
    if (quantize && key.endsWith(".weight")) {
      const data = new Int8Array(zeros, 0, sizeOf(shape));
      const [scale, zeroPoint] = [Float32Array.of(0.5), Int32Array.of(0)];
      const quant = { dtype: "int8", scale, zeroPoint } as const;
      state.set(key, { tensor: { dtype: "int8", shape, data }, quant });
    } else if (key.endsWith(".scale")) state.set(key, { tensor: float32([], [0.5]) });
    else state.set(key, { tensor: floatZeros(shape) });
  }
  return state;
}

const names = Object.keys(architectures) as ArchitectureName[];
const complete = (state: StateDict) =>
  fitsOf(state)
    .filter(({ isComplete }) => isComplete)
    .map(({ architecture, quantize }) => [architecture, quantize]);

describe("an architecture is recognised, and no other fits:", () => {
  it.each(names)("%s", (name) => {
    expect(complete(stateOf(name, false))).toEqual([[name, false]]);
    expect(complete(stateOf(name, false, 7))).toEqual([[name, false]]);
  });

  it.each(names.filter((name) => "backend" in architectures[name]))("%s, quantized", (name) => {
    expect(complete(stateOf(name, true))).toEqual([[name, true]]);
    expect(complete(stateOf(name, true, 7))).toEqual([[name, true]]);
  });

  it("the checkpoint of a quantization-aware training", () => {
    const name = "mobilenet_v3_large";
    expect(complete(qatState(name, torchResults(name)))).toEqual([[name, true]]);
  });

  it("behind the prefixes of training scripts", () => {
    const state = stateOf("resnet18", false);
    const wrapped = new Map([...state].map(([key, entry]) => [`module.${key}`, entry]));
    expect(complete(wrapped)).toEqual([["resnet18", false]]);
  });
});

const bytesOf = (state: StateDict) => writeSafetensors(tensorsOfStateDict(state));

/** What load says of `state`. */
async function refusal(state: StateDict): Promise<string> {
  try {
    await load(bytesOf(state));
  } catch (error) {
    return String(error);
  }
  throw new Error("nothing was thrown");
}

describe("load", () => {
  it("makes of weights the model that models makes", async () => {
    const float = bytesOf(stateOf("cifar_resnet20", false));
    const model = await load(float);
    expect(model.stage).toBe("float");
    const made = await models.cifarResnet({ depth: 20, weights: float });
    expect(model.toString()).toBe(made.toString());

    const quantized = bytesOf(
      quantizedState("shufflenet_v2_x0_5", torchResults("shufflenet_v2_x0_5"), "fbgemm"),
    );
    const again = await load(quantized);
    expect(again.stage).toBe("quantized");
    const same = await models.shufflenetV2({ width: 0.5, weights: quantized });
    expect(again.toString()).toBe(same.toString());
  });

  it("takes inputShape and dims as the pictures' size and batch", async () => {
    const bytes = bytesOf(stateOf("cifar_resnet20", false));
    const inputs = async (
      ...[options]: Parameters<typeof load> extends [unknown, ...infer R] ? R : never
    ) => (await load(bytes, options)).inputs["images"]?.shape;
    expect(await inputs()).toEqual(["batch", 3, 32, 32]);
    expect(await inputs({ dims: { batch: 4 } })).toEqual([4, 3, 32, 32]);
    expect(await inputs({ inputShape: [2, 3, 64, 48] })).toEqual([2, 3, 64, 48]);
    expect(await inputs({ inputShape: { images: ["n", 3, 64, 48] }, dims: { n: 5 } })).toEqual([
      5, 3, 64, 48,
    ]);
    await expect(inputs({ inputShape: [1, 1, 28, 28] })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[InputError: load: inputShape must be [batch, 3, height, width] for cifar_resnet20; got [1, 1, 28, 28]. Leave it out for the size that the network was trained on.]`,
    );
  });

  it("names the closest architecture of weights that fit none, and what it misses", async () => {
    const near = new Map(stateOf("resnet18", false));
    near.delete("layer1.0.conv1.weight");
    near.set("conv1.weight", { tensor: floatZeros([64, 3, 3, 3]) });
    near.set("fc.1.weight", { tensor: floatZeros([10]) });
    near.set("fc.1.bias", { tensor: floatZeros([10]) });
    near.set("fc.2.bias", { tensor: floatZeros([10]) });
    expect(bestFit(near).architecture).toBe("resnet18");
    expect(await refusal(near)).toMatchInlineSnapshot(
      `"InputError: load: the file must hold a graph, or the weights of a known architecture; got a state dict of 104 entries (conv1.weight, bn1.weight, …), which holds weights alone. The closest is resnet18: 1 missing (layer1.0.conv1.weight); 1 misshapen (conv1.weight: must have shape [64, 3, 7, 7]; got [64, 3, 3, 3]); 3 unexpected (fc.1.weight, fc.1.bias, …). Build the architecture around them, models.mobilenetV2({ weights }), models.resnet18({ weights }), …, or save the model with its graph: torch.onnx.export, torch.jit.save."`,
    );
    const mixed = new Map(stateOf("mobilenet_v2", true));
    mixed.set("classifier.1.weight", { tensor: floatZeros([1000, 1280]) });
    expect(await refusal(mixed)).toMatchInlineSnapshot(
      `"InputError: load: the file must hold a graph, or the weights of a known architecture; got a state dict of 181 entries (quant.scale, quant.zero_point, …), which holds weights alone. The closest is quantized mobilenet_v2: 1 misshapen (classifier.1.weight: must have symmetric int8, per tensor or along axis 0; got float32). Build the architecture around them, models.mobilenetV2({ weights }), models.resnet18({ weights }), …, or save the model with its graph: torch.onnx.export, torch.jit.save."`,
    );
    const alien = new Map([["decoder.weight", { tensor: floatZeros([3, 4]) }]]);
    expect(await refusal(alien)).toMatchInlineSnapshot(
      `"InputError: load: the file must hold a graph, or the weights of a known architecture; got a state dict of 1 entries (decoder.weight), which holds weights alone. Known are mobilenet_v2, mobilenet_v3_large, resnet18, resnet50, resnext101_32x8d, inception_v3, googlenet, shufflenet_v2_x0_5, shufflenet_v2_x1_0, shufflenet_v2_x1_5, shufflenet_v2_x2_0, cifar_resnet20, cifar_resnet32, cifar_resnet44, cifar_resnet56, cifar_resnet110. Build the architecture around them, models.mobilenetV2({ weights }), models.resnet18({ weights }), …, or save the model with its graph: torch.onnx.export, torch.jit.save."`,
    );
  });

  it.runIf(hasSharedData("models/cifar10-resnet20.th", "the CIFAR ResNets' recognition"))(
    "reads the CIFAR ResNets' published checkpoints",
    async () => {
      for (const depth of [20, 32] as const) {
        const weights = readShared(`models/cifar10-resnet${depth}.th`);
        const model = await load(weights);
        const made = await models.cifarResnet({ depth, weights });
        expect(model.toString()).toBe(made.toString());
      }
    },
  );
});
