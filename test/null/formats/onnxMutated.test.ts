// What load accepts, ONNX Runtime accepts: small models with their structure changed. FUZZ_GRAPHS sets how many.

import * as ort from "onnxruntime-web";
import { describe, expect, it } from "vitest";
import { FormatError, InputError, UnsupportedError } from "../../../src/errors.ts";
import { importOnnx } from "../../../src/formats/onnx/import.ts";
import { mutatedOnnx } from "../../support/mutatedOnnx.ts";

ort.env.wasm.numThreads = 1;
ort.env.logLevel = "fatal";

const COUNT = Number(process.env["FUZZ_GRAPHS"] ?? 400);
const FIRST = Number(process.env["FUZZ_SEED"] ?? 20_000);

/** What ONNX Runtime says and the standard does not: the size of an LSTM's state follows from R, and types that no
 *  kernel there has. */
const OWN_RULES = /hidden_size|NOT_IMPLEMENTED|Could not find an implementation/;

/** Why ONNX Runtime refuses `bytes`, if it does. */
async function refusal(bytes: Uint8Array): Promise<string | undefined> {
  try {
    const session = await ort.InferenceSession.create(bytes, {
      graphOptimizationLevel: "disabled",
    });
    await session.release();
    return undefined;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return OWN_RULES.test(message) ? undefined : message;
  }
}

describe("models whose structure is changed", () => {
  it("are accepted before the change", async () => {
    for (let seed = 0; seed < 150; seed++) {
      const { bytes, text } = mutatedOnnx(seed, 0);
      expect(() => importOnnx(bytes), `seed ${seed}: ${text}`).not.toThrow();
      if (seed % 5 === 0) expect(await refusal(bytes), `seed ${seed}: ${text}`).toBeUndefined();
    }
  });

  it(`are refused, or valid: ${COUNT} from seed ${FIRST}`, async () => {
    let accepted = 0;
    for (let seed = FIRST; seed < FIRST + COUNT; seed++) {
      const { bytes, text } = mutatedOnnx(seed);
      try {
        importOnnx(bytes);
      } catch (error) {
        const isTyped =
          error instanceof FormatError ||
          error instanceof UnsupportedError ||
          error instanceof InputError;
        expect(isTyped, `seed ${seed}: ${String(error)}\n${text}`).toBe(true);
        continue;
      }
      accepted++;
      expect(await refusal(bytes), `seed ${seed}: ${text}`).toBeUndefined();
    }
    // Neither all nor none of them is a test of the other side.
    expect(accepted).toBeGreaterThan(COUNT / 4);
    expect(accepted).toBeLessThan((COUNT * 3) / 4);
  });
});
