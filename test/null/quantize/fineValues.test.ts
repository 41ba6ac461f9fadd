// Values of more sizes than eight bits have, read by functions that need the small ones, stay float; ordinary networks
// lose no integers.

import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { decibels } from "../../../src/compare.ts";
import { convert } from "../../../src/convert.ts";
import { parseNpz } from "../../../src/formats/npz.ts";
import { bindShapes } from "../../../src/graph/bind.ts";
import { GraphBuilder } from "../../../src/graph/builder.ts";
import type { Graph } from "../../../src/graph/graph.ts";
import type { Node } from "../../../src/graph/node.ts";
import { inspect } from "../../../src/inspect.ts";
import { load } from "../../../src/load.ts";
import { Model } from "../../../src/model.ts";
import { prepare } from "../../../src/prepare.ts";
import { prepareQat } from "../../../src/prepareQat.ts";
import type { Overrides } from "../../../src/quantize/annotate.ts";
import { keepFineValues } from "../../../src/quantize/fineValues.ts";
import { qconfigs } from "../../../src/quantize/presets.ts";
import { interpret } from "../../../src/reference/interpret.ts";
import { float32, type Tensors } from "../../../src/tensor/tensor.ts";
import { calibrateOnHost } from "../../support/calibrate.ts";
import { pictures, residualGraph } from "../../support/models.ts";
import { floats } from "../../support/seeded.ts";

/** `model` calibrated by the reference, as `calibrate` does it on a device. */
function calibrated(model: Model<"float">, samples: readonly Tensors[], overrides: Overrides = {}) {
  const prepared = prepare(model, { overrides });
  const { fused, assignment: all, asked } = prepared.details;
  const calibration = calibrateOnHost(prepared.graph, samples);
  const { assignment, left } = keepFineValues(fused, all, calibration.statistics, asked);
  return new Model("calibrated", prepared.graph, { fused, assignment, calibration, left });
}

/** dB of the first output over `samples`. */
function sqnr(float: Graph, quantized: Graph, samples: readonly Tensors[]): number {
  let [signal, noise] = [0, 0];
  for (const inputs of samples) {
    const dims = new Map([["batch", Object.values(inputs)[0]!.shape[0]!]]);
    const [want, got] = [float, quantized].map(
      (graph) =>
        interpret(bindShapes(graph, dims), inputs).get(graph.outputs[0]!)!.data as Float32Array,
    );
    want!.forEach((value, at) => {
      signal += value ** 2;
      noise += (value - got![at]!) ** 2;
    });
  }
  return decibels(signal, noise);
}

/** x (1, 4, 8, 8) → Conv → what `build` adds → Conv. */
function between(
  build: (add: (op: Node["op"], inputs: string[], more?: object) => string) => string,
) {
  const builder = new GraphBuilder();
  builder.input("x", { dtype: "float32", shape: [1, 4, 8, 8] });
  builder.constant("w", floats([4, 4, 1, 1], 1));
  builder.constant("v", floats([4, 4, 1, 1], 2));
  builder.constant("eps", float32([], [1e-6]));
  builder.constant("half", float32([], [0.5]));
  const window = { kernel: [1, 1], strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0] };
  let count = 0;
  const add = (op: Node["op"], inputs: string[], more: object = {}) => {
    const outputs = [`v${count++}`];
    return builder.add({ op, name: `/${outputs[0]}`, inputs, outputs, ...more } as Node);
  };
  const first = add("Conv", ["x", "w"], { ...window, group: 1 });
  expect(first).toBe("v0");
  const y = add("Conv", [build(add), "v"], { ...window, group: 1 });
  return new Model("float", builder.build("fine", ["x"], [y]), {});
}

/** Mostly quiet: 60 dB of loudness, of which the least is the most common. */
const loudness = [...Array<number>(12).fill(0.002), 0.02, 0.2, 2].map((span, seed) => ({
  x: floats([1, 4, 8, 8], 40 + seed, span),
}));
/** All of one loudness. */
const even = [1, 2, 3].map((seed) => ({ x: floats([1, 4, 8, 8], 50 + seed) }));

const chains = {
  Log: between((add) => {
    const power = add("Mul", ["v0", "v0"]);
    return add("Log", [add("Add", [power, "eps"])]);
  }),
  Sqrt: between((add) => {
    const power = add("Mul", ["v0", "v0"]);
    return add("Sqrt", [add("Add", [power, power])]);
  }),
  "Pow by a half": between((add) => add("Pow", [add("Mul", ["v0", "v0"]), "half"])),
  "a quotient by its size": between((add) => {
    const size = add("Add", [add("Abs", [add("Mul", ["v0", "v0"])]), "eps"]);
    return add("Div", ["v0", add("Mul", [size, "half"])]);
  }),
} as const;

describe.each(Object.entries(chains))("%s of a power over 60 dB", (title, model) => {
  it("stays float with what it is made of, and says so", () => {
    const quantized = convert(calibrated(model, loudness));
    const { left = [] } = quantized.details;
    expect(left.length).toBeGreaterThan(0);
    const { node, reason } = left.at(-1)!;
    expect(reason).toMatch(
      /^8 bits would leave (\d+\.\d dB|nothing) of what \w+ "\/v\d" makes of it; 20 dB are needed$/,
    );
    expect(String(quantized)).toContain(`"${node}": ${reason}`);
    expect(inspect(quantized).float.find((each) => each.node === node)?.why).toBe(reason);
    const after = sqnr(model.graph, quantized.graph, loudness);
    console.log(`${title}: ${after.toFixed(1)} dB`);
    expect(after).toBeGreaterThan(20);
  });

  it("runs in integers where an override asks for it", () => {
    const { left } = calibrated(model, loudness, { "*": qconfigs.int8 }).details;
    expect(left).toEqual([]);
  });

  it("stays float in quantization-aware training that begins there", () => {
    const start = calibrated(model, loudness);
    const { assignment } = prepareQat(model, { calibrated: start }).details;
    for (const { node } of start.details.left!) expect(assignment.get(node) ?? null).toBeNull();
  });
});

describe("integers are kept", () => {
  it("by a Sqrt of values of about one size", () => {
    const model = between((add) => {
      const power = add("Mul", ["v0", "v0"]);
      return add("Sqrt", [add("GlobalAveragePool", [power])]);
    });
    expect(calibrated(model, even).details.left).toEqual([]);
  });

  it("by a residual network", () => {
    const model = new Model("float", residualGraph(), {});
    const samples = [1, 2, 3].map((seed) => pictures(4, seed));
    expect(calibrated(model, samples).details.left).toEqual([]);
  });
});

const cases = new URL("../../../../shared/cases/", import.meta.url);
const file = new URL("audio_frontend_log.onnx", cases);
if (!existsSync(file)) console.log("skipped: ../shared/cases is not there");
it.skipIf(!existsSync(file))("an audio front end keeps 25 dB, 3 dB in integers", async () => {
  const model = (await load(readFileSync(file))) as Model<"float">;
  const arrays = parseNpz(readFileSync(new URL("audio_frontend_log.npz", cases)));
  const samples = [...arrays].flatMap(([name, x]) => (name.startsWith("in_") ? [{ x }] : []));
  const quantized = convert(calibrated(model, samples));
  expect(sqnr(model.graph, quantized.graph, samples)).toBeGreaterThan(25);
  // What is behind the logarithm runs in integers.
  const { nodes } = inspect(quantized);
  expect(nodes.filter(({ op, dtype }) => op === "Conv" && dtype === "integer")).toHaveLength(2);
});
