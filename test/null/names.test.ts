// Names that nothing has are refused wherever a caller gives some, with the names that there are.

import { describe, expect, it } from "vitest";
import { nearestName } from "../../src/text/names.ts";
import { load } from "../../src/load.ts";
import { tensor } from "../../src/tensor/tensor.ts";
import { node, tiny } from "./formats/onnxModels.ts";

const bytes = tiny({ nodes: [node("Relu", ["image"], ["y"])], inputs: { image: ["batch", 3] } });

const messageOf = async (work: Promise<unknown>) => {
  const error: unknown = await work.then(() => undefined).catch((thrown: unknown) => thrown);
  return error instanceof Error ? `${error.name}: ${error.message}` : "accepted";
};

describe("load refuses what names nothing in the file", () => {
  it("in dims", async () => {
    expect(await messageOf(load(bytes, { dims: { bacth: 1 } }))).toMatchInlineSnapshot(
      `"InputError: dims: the model has no size "bacth"; got sizes batch. Did you mean "batch"?"`,
    );
    expect(await messageOf(load(bytes, { dims: { length: 1 } }))).toMatchInlineSnapshot(
      `"InputError: dims: the model has no size "length"; got sizes batch. Leave it out."`,
    );
  });

  it("in constants", async () => {
    const constants = { Image: tensor("float32", [1, 3]) };
    expect(await messageOf(load(bytes, { constants }))).toMatchInlineSnapshot(
      `"InputError: constants: the model has no input "Image"; got inputs image. Did you mean "image"?"`,
    );
  });

  it("in externalData", async () => {
    const externalData = new Map([["weights.bin", new Uint8Array(4)]]);
    expect(await messageOf(load(bytes, { externalData }))).toMatchInlineSnapshot(
      `"InputError: externalData: the model has no file "weights.bin"; got files none. Leave it out."`,
    );
  });
});

describe("the nearest name", () => {
  const known = ["input_ids", "attention_mask", "x", "pixel_values"];

  it.each([
    ["inputIds", "input_ids"],
    ["input_id", "input_ids"],
    ["attention_msak", "attention_mask"],
    ["ATTENTION_MASK", "attention_mask"],
    ["pixels", undefined],
    ["y", undefined],
    ["", undefined],
  ])("to %j is %j", (name, near) => expect(nearestName(name, known)).toBe(near));

  it("is found among long names in little time", () => {
    const long = "layer/".repeat(10_000);
    expect(nearestName(`${long}a`, [`${long}b`, "x"])).toBeUndefined();
  });
});
