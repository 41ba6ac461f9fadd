// A voice activity detector (Conv, LSTM, nested Ifs around rank checks, opset 15): its probabilities, window
// after window, the state of each handed to the next. ../shared/data/audio has onnxruntime's.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compile } from "../../src/compile.ts";
import type { Device } from "../../src/gpu/device.ts";
import { load } from "../../src/load.ts";
import type { Model } from "../../src/model.ts";
import { quantizeDynamic } from "../../src/quantizeDynamic.ts";
import { float32, tensor, type Tensor } from "../../src/tensor/tensor.ts";
import { testDevice } from "../support/device.ts";
import { hasSharedData, sharedData } from "../support/sharedData.ts";

const there = hasSharedData("models/silero-vad-16k.onnx", "the voice activity detector");
const isWhole = process.env["FIGURES"] === "all";
const [WINDOW, CONTEXT, RATE] = [512, 64, 16000] as const;
/** Windows that are run: the first 125 go from speech to silence and back. */
const COUNT = isWhole ? 625 : 125;
/** Greatest difference of a probability: sums of f32 in another order, over all windows before it. */
const TOLERANCE = 1e-4;

interface Reference {
  readonly probabilities: readonly number[];
  readonly final_state_l2: number;
}

const reference = () =>
  JSON.parse(
    readFileSync(join(sharedData, "audio/test.silero-probabilities.json"), "utf8"),
  ) as Reference;

/** Samples in [−1, 1) of a 16-bit mono file with a header of 44 bytes. */
function samples(): Float32Array {
  const bytes = readFileSync(join(sharedData, "audio/test.wav"));
  const count = (bytes.length - 44) / 2;
  return Float32Array.from({ length: count }, (_, at) => bytes.readInt16LE(44 + 2 * at) / 32768);
}

describe.skipIf(!there)("the voice activity detector", () => {
  let device: Device;
  beforeAll(async () => {
    device = await testDevice();
  });
  afterAll(() => device?.dispose());

  const loaded = async () =>
    (await load(readFileSync(join(sharedData, "models/silero-vad-16k.onnx")), {
      constants: { sr: tensor("int64", [], BigInt64Array.of(BigInt(RATE))) },
      dims: { batch: 1, sequence: WINDOW + CONTEXT },
    })) as Model<"float">;

  /** Greatest difference from onnxruntime's float probabilities, and the last state. */
  const walk = async (name: string, model: Model<"float" | "quantized">) => {
    const { probabilities } = reference();
    using session = await compile(model, device);
    const audio = samples();
    let state: Tensor = float32([2, 1, 128], new Float32Array(256));
    let greatest = 0;
    const start = performance.now();
    for (let at = 0; at < COUNT; at++) {
      const first = at * WINDOW - CONTEXT;
      const input = Float32Array.from(
        { length: WINDOW + CONTEXT },
        (_, place) => audio[first + place] ?? 0,
      );
      const shape = [1, WINDOW + CONTEXT];
      const outputs = await session.run({ input: float32(shape, input), state });
      const got = outputs["output"]!.data[0] as number;
      greatest = Math.max(greatest, Math.abs(got - probabilities[at]!));
      state = outputs["stateN"]!;
    }
    const each = (performance.now() - start) / COUNT;
    console.log(
      `silero-vad, ${name}: greatest difference ${greatest.toExponential(2)} over ${COUNT} windows, ` +
        `${each.toFixed(2)} ms each`,
    );
    return { greatest, state };
  };

  it(`gives onnxruntime's probabilities of ${COUNT} windows`, async () => {
    const model = await loaded();
    expect(model.graph.inputs).toEqual(["input", "state"]);
    const { greatest, state } = await walk("float", model);
    expect(greatest).toBeLessThan(TOLERANCE);
    if (isWhole) {
      const want = reference().final_state_l2;
      const norm = Math.hypot(...Array.from(state.data as Float32Array));
      expect(Math.abs(norm - want)).toBeLessThan(1e-3 * want);
    }
  });

  it("quantized dynamically, stays within 0.03 of them", async () => {
    const quantized = quantizeDynamic(await loaded());
    expect(quantized.graph.nodes.filter(({ op }) => op === "LSTM")).toMatchObject([
      { dynamic: expect.anything() as unknown },
    ]);
    expect((await walk("dynamic int8", quantized)).greatest).toBeLessThan(0.03);
  });
});
