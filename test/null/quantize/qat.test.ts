// Quantization-aware training's graphs in the reference: steps as PyTorch's, evaluation that conversion makes
// integers of, and what prepareQat refuses.

import { describe, expect, it } from "vitest";
import { convert } from "../../../src/convert.ts";
import { bindShapes } from "../../../src/graph/bind.ts";
import { GraphBuilder } from "../../../src/graph/builder.ts";
import { printGraph } from "../../../src/graph/print.ts";
import { Model } from "../../../src/model.ts";
import { prepare } from "../../../src/prepare.ts";
import { prepareQat } from "../../../src/prepareQat.ts";
import { qconfigs } from "../../../src/quantize/presets.ts";
import { qatQConfigs } from "../../../src/quantize/qat/presets.ts";
import { trainingGraph } from "../../../src/quantize/qat/train.ts";
import { interpret } from "../../../src/reference/interpret.ts";
import { float32, toNumbers } from "../../../src/tensor/tensor.ts";
import { pictures, residualGraph } from "../../support/models.ts";
import { qatRuns } from "../../support/qatFixture.ts";
import { differences, trainFixture } from "../../support/qatFixtureSteps.ts";
import {
  compareBytes,
  defaultMode,
  inReference,
  residualBatches,
  trainQat,
} from "../../support/qatTraining.ts";
import { floats } from "../../support/seeded.ts";
import { messageOf } from "../formats/onnxModels.ts";

const float = () => new Model("float", residualGraph(), {});
const optimizer = { kind: "sgd", learningRate: 0.01, momentum: 0.9 } as const;

describe("twelve steps: observed, then with observers off, then with normalization frozen", () => {
  it.each(qatRuns())("are PyTorch's: $title", async (run) => {
    const found = differences(run, await trainFixture(run, inReference));
    expect(found.loss).toBeLessThan(1e-4);
    expect(found.scale).toBeLessThan(1e-5);
    expect(found.zeroPoints).toBe(0);
  });
});

/** Bytes of all values that do not agree, after training and evaluating in the reference. */
async function bytesAfter(options: Parameters<typeof prepareQat>[1], mode = {}) {
  const prepared = prepareQat(float(), options);
  const { model: observed } = await trainQat(prepared, residualBatches(4), optimizer, inReference);
  const { model } = await trainQat(observed, residualBatches(2), optimizer, inReference, mode);
  const converted = convert(model);
  const [inputs, dims] = [pictures(12, 77), new Map([["batch", 12]])];
  const want = interpret(bindShapes(model.graph, dims), inputs);
  const got = interpret(bindShapes(converted.graph, dims), inputs);
  return { converted, ...compareBytes(model, converted, { got, want }) };
}

describe("convert of a trained model gives the integers that evaluation stands for", () => {
  const ends = { stem: qatQConfigs.int8, head: qatQConfigs.int8 };
  it.each([
    { title: "int8", options: {}, mode: {} },
    { title: "int8, frozen", options: {}, mode: { batchNorm: "frozen", observers: false } },
    { title: "int4 between int8 ends", options: { qconfig: qatQConfigs.int4, overrides: ends } },
    { title: "learned scales", options: {}, mode: { observers: false, learnable: true } },
    { title: "qnnpack's preset", options: { qconfig: qatQConfigs.qnnpack } },
    {
      title: "fbgemm's preset, beyond its reduced range",
      options: { qconfig: qatQConfigs.fbgemm },
    },
  ])("$title", async ({ options, mode }) => {
    const { count, differing, most } = await bytesAfter(options, mode);
    expect(count).toBeGreaterThan(5000);
    expect(differing).toBeLessThanOrEqual(count / 10000);
    expect(most).toBeLessThanOrEqual(1);
  });

  it("four bits stay within their range", async () => {
    const { converted } = await bytesAfter({ qconfig: qatQConfigs.int4 });
    const dims = new Map([["batch", 4]]);
    const values = interpret(bindShapes(converted.graph, dims), pictures(4, 5));
    const stored = [...converted.graph.values].filter(([, { quant }]) => quant?.dtype !== "int32");
    const codes = stored
      .filter(([, { quant }]) => quant)
      .map(([name]) => toNumbers(values.get(name)!));
    const all = codes.flat();
    expect([Math.min(...all), Math.max(...all)]).toEqual([-7, 15]);
  });
});

describe("the training graph", () => {
  it("observes, rounds and normalizes a layer as PyTorch's conv-bn", () => {
    const { graph } = trainingGraph(
      prepareQat(float()).details,
      defaultMode,
      new Map([["batch", 2]]),
    );
    const lines = printGraph(graph).split("\n");
    const end = lines.findIndex((line) => line.includes("depthwise"));
    expect(lines.slice(0, end).join("\n")).toMatchInlineSnapshot(`
      "graph residual(images: float32[2, 3, 8, 8])
        MovingAverageObserve(images, images/range, images/scale, images/zeroPoint) scheme="affine" qmin=0 qmax=255 eps=1.1920928955078125e-7 zeroPoint=0 rule="observer" averagingConstant=0.01
        images_quantized: float32[2, 3, 8, 8] = FakeQuantize(images, images/scale, images/zeroPoint) qmin=0 qmax=255
        stem/variance:y: float32[8] = Add(stem.variance, stem/epsilon)
        stem/deviation:y: float32[8] = Sqrt(stem/variance:y)
        stem/factor:y: float32[8] = Div(stem.scale, stem/deviation:y)
        stem/divisor:y: float32[8] = Add(stem/factor:y, stem/leastFactor)
        stem/column:y: float32[8, 1, 1, 1] = Reshape(stem/divisor:y) shape=[8,1,1,1]
        stem/scaled:y: float32[8, 3, 3, 3] = Mul(stem.weight, stem/column:y)
        MovingAverageObserve(stem/scaled:y, stem/weight/range, stem/weight/scale, stem/weight/zeroPoint) scheme="symmetric" qmin=-127 qmax=127 eps=1.1920928955078125e-7 zeroPoint=0 rule="observer" axis=0
        stem/filter: float32[8, 3, 3, 3] = FakeQuantize(stem/scaled:y, stem/weight/scale, stem/weight/zeroPoint) qmin=-127 qmax=127 axis=0
        stem.relu6.out_float_product: float32[2, 8, 4, 4] = Conv(images_quantized, stem/filter) kernel=[3,3] strides=[2,2] dilations=[1,1] pads=[1,1,1,1] group=1
        stem.relu6.out_float: float32[2, 8, 4, 4], stem/batch_mean: float32[8], stem/batch_variance: float32[8] = BatchNormTraining(stem.relu6.out_float_product, stem.scale, stem.bias, stem/divisor:y) epsilon=0.00001 low=0 high=6
        UpdateRunning(stem.mean, stem.variance, stem/batch_mean, stem/batch_variance) momentum=0.1 count=32
        MovingAverageObserve(stem.relu6.out_float, stem.relu6.out/range, stem.relu6.out/scale, stem.relu6.out/zeroPoint) scheme="affine" qmin=0 qmax=255 eps=1.1920928955078125e-7 zeroPoint=0 rule="observer" averagingConstant=0.01
        stem.relu6.out: float32[2, 8, 4, 4] = FakeQuantize(stem.relu6.out_float, stem.relu6.out/scale, stem.relu6.out/zeroPoint) qmin=0 qmax=255"
    `);
  });

  it("has no gradient for a bias that normalization takes out again, and has for learned scales", async () => {
    const prepared = prepareQat(float());
    const { model } = await trainQat(prepared, residualBatches(1), optimizer, inReference);
    const { details } = model;
    const dims = new Map([["batch", 2]]);
    const names = (mode: Partial<typeof defaultMode>) =>
      trainingGraph(details, { ...defaultMode, ...mode }, dims).parameters;
    expect(names({})).toEqual(details.parameters);
    expect(names({ learnable: true }).filter((name) => name.startsWith("head"))).toEqual([
      "head.weight",
      "head.bias",
      "head/weight/scale",
    ]);
  });

  it("is refused where ranges are wanted that nobody saw", () => {
    const { details } = prepareQat(float());
    const mode = { ...defaultMode, observers: false };
    expect(
      messageOf(() => trainingGraph(details, mode, new Map([["batch", 2]]))),
    ).toMatchInlineSnapshot(
      `"StageError: train: "images" must be observed before it is quantized; got no range. Train some steps with observers, or prepare with ranges of a calibrated model."`,
    );
  });
});

describe("prepareQat", () => {
  it("quantizes where prepare observes", () => {
    const observed = prepare(float()).graph.nodes.flatMap(({ op, inputs }) =>
      op === "Observe" ? inputs : [],
    );
    expect([...prepareQat(float()).details.activations.keys()].sort()).toEqual(observed.sort());
  });

  it("leaves layers float that overrides say, and gives others their bits", () => {
    const overrides = { stem: null, head: qatQConfigs.int8 };
    const { weights } = prepareQat(float(), { qconfig: qatQConfigs.int4, overrides }).details;
    expect([...weights].map(([name, { rule }]) => `${name} ${rule.qmin} ${rule.qmax}`)).toEqual([
      "depthwise -7 7",
      "pointwise -7 7",
      "head -127 127",
    ]);
  });

  it("refuses what cannot be observed at every step", () => {
    expect(messageOf(() => prepareQat(float(), { qconfig: qconfigs.int8 }))).toMatchInlineSnapshot(
      `"QConfigError: qconfig: activation: training observes every step, which a histogram cannot; got histogram. Use "movingAverageMinMax", or one of qatQConfigs."`,
    );
    const qconfig = { ...qatQConfigs.int8, weight: qconfigs.int8.weight };
    expect(messageOf(() => prepareQat(float(), { qconfig }))).toMatchInlineSnapshot(
      `"QConfigError: qconfig: weight: training has no scale search; got search "squaredError". Leave it out, or use one of qatQConfigs."`,
    );
  });

  it("refuses an observer of activations that forgets the steps before", () => {
    const activation = { ...qatQConfigs.int8.activation, observer: { kind: "minMax" } as const };
    const qconfig = { ...qatQConfigs.int8, activation };
    expect(messageOf(() => prepareQat(float(), { qconfig }))).toMatchInlineSnapshot(
      `"QConfigError: qconfig: activation: its observer must remember the steps before; got minMax. Use "movingAverageMinMax", or one of qatQConfigs."`,
    );
  });

  it("counts no constant as a parameter that an integer node reads", () => {
    const builder = new GraphBuilder();
    builder.input("x", { dtype: "float32", shape: [2, 4] });
    builder.constant("weight", floats([4, 3], 1));
    builder.constant("bias", floats([3], 2));
    builder.add({ op: "MatMul", name: "fc", inputs: ["x", "weight"], outputs: ["product"] });
    builder.add({ op: "Add", name: "add", inputs: ["product", "bias"], outputs: ["y"] });
    const model = new Model("float", builder.build("linear", ["x"], ["y"]), {});
    const parameters = (overrides = {}) => {
      const { details } = prepareQat(model, { overrides });
      const { graph } = trainingGraph(details, defaultMode);
      for (const name of details.parameters) expect(graph.variables?.has(name)).toBe(true);
      return details.parameters;
    };
    expect(parameters()).toEqual(["weight"]);
    expect(parameters({ add: null })).toEqual(["weight", "bias"]);
  });

  it("refuses to convert what was never observed", () => {
    expect(messageOf(() => convert(prepareQat(float())))).toMatchInlineSnapshot(
      `"StageError: convert: every quantized activation must be observed; got none of "images". Train some steps with observers first."`,
    );
  });
});

describe("a normalization with a scale of 0", () => {
  it("gives its shift, and finite gradients", async () => {
    const graph = residualGraph();
    const scale = graph.constants.get("pointwise.scale")!;
    const zeros = float32(scale.shape, new Float32Array(scale.data.length));
    const constants = new Map([...graph.constants, ["pointwise.scale", zeros]]);
    const model = prepareQat(new Model("float", { ...graph, constants }, {}));
    const { losses, states } = await trainQat(model, residualBatches(2), optimizer, inReference);
    expect(losses.every(Number.isFinite)).toBe(true);
    for (const [, { data }] of states.at(-1)!)
      expect((data as Float32Array).every(Number.isFinite)).toBe(true);
  });
});
