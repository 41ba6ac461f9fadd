// The sample pictures and the sample network: what `npm start` and the demo page rely on.
// One idea: a picture depends on (split, index) alone, so its bytes can be pinned by a hash.
import { createHash } from "node:crypto";
import { statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { classNames, samplePicture, type Split } from "../../demo/sample/pictures.ts";
import { distances } from "../../demo/sample/shapes.ts";

const splits: readonly Split[] = ["train", "calibration", "test"];

function sha256(...parts: readonly Uint8Array[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
}

describe("sample pictures", () => {
  it("are 48 × 48 pixels of red, green and blue, with a label of classNames", () => {
    const { label, width, height, data } = samplePicture(3, "test");
    expect([width, height, data.length]).toEqual([48, 48, 48 * 48 * 3]);
    expect(classNames[label]).toBeTypeOf("string");
    expect(classNames).toHaveLength(10);
  });

  it.each([
    ["train", "5b93849b5d1baf85b70ec71541a4367d4080f3a198f99a92f57cde7db9ac035f"],
    ["calibration", "fbaf52ddc2faa517ae082178b2f94cad207707ea88095878c469289f9138b7fd"],
    ["test", "d5b6c3936d135f88feb96842ea2c89f2a46881258550aab5c825b870ebf6a9b0"],
  ] as const)("of %s are the bytes that the network was trained and measured on", (split, hash) => {
    const pictures = Array.from({ length: 20 }, (_, index) => samplePicture(index, split));
    const labels = Uint8Array.from(pictures, ({ label }) => label);
    expect(sha256(labels, ...pictures.map(({ data }) => data))).toBe(hash);
  });

  it("do not depend on the pictures drawn before", () => {
    const late = samplePicture(900, "test");
    samplePicture(7, "train");
    expect(samplePicture(900, "test")).toEqual(late);
  });

  it("never repeat, within a split or between splits", () => {
    const hashes = splits.flatMap((split) =>
      Array.from({ length: 100 }, (_, index) => sha256(samplePicture(index, split).data)),
    );
    expect(new Set(hashes).size).toBe(300);
  });

  it.each(splits)("of %s hold every class once in each run of ten", (split) => {
    for (const start of [0, 10, 490]) {
      const labels = Array.from({ length: 10 }, (_, i) => samplePicture(start + i, split).label);
      expect(labels.sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    }
  });

  it("come in another order of classes after ten", () => {
    const labels = Array.from({ length: 20 }, (_, index) => samplePicture(index, "test").label);
    expect(labels.slice(10)).not.toEqual(labels.slice(0, 10));
  });

  it("reach the last index of a split and refuse the one above", () => {
    expect(samplePicture(2 ** 30 - 1, "test").data).toHaveLength(48 * 48 * 3);
    expect(() => samplePicture(2 ** 30, "test")).toThrowErrorMatchingInlineSnapshot(
      `[InputError: samplePicture: index must be an integer from 0 to 1073741823; got 1073741824. Count pictures from 0.]`,
    );
  });

  it("refuse a negative or broken index, and an unknown split", () => {
    expect(() => samplePicture(-1, "test")).toThrowErrorMatchingInlineSnapshot(
      `[InputError: samplePicture: index must be an integer from 0 to 1073741823; got -1. Count pictures from 0.]`,
    );
    expect(() => samplePicture(0.5, "test")).toThrowErrorMatchingInlineSnapshot(
      `[InputError: samplePicture: index must be an integer from 0 to 1073741823; got 0.5. Count pictures from 0.]`,
    );
    expect(() => samplePicture(0, "valid" as Split)).toThrowErrorMatchingInlineSnapshot(
      `[InputError: samplePicture: split must be one of train, calibration, test; got "valid". Pass one of them.]`,
    );
  });
});

describe("sample shapes", () => {
  it.each(classNames.map((name, label) => [name, label] as const))(
    "%s fits a circle of radius 1.1, which is what its box in the picture allows for",
    (_, label) => {
      // 31 directions, none of them an axis of a shape
      const outside = Array.from({ length: 31 }, (_, i) => (2 * Math.PI * (i + 0.3)) / 31).map(
        (angle) => distances[label]!(1.1 * Math.cos(angle), 1.1 * Math.sin(angle)),
      );
      expect(Math.min(...outside)).toBeGreaterThan(0);
    },
  );

  it("a disc is filled where a ring and a crescent are hollow", () => {
    const inside = (name: string, x: number, y: number): boolean =>
      distances[classNames.indexOf(name)]!(x, y) < 0;
    expect(["disc", "ring", "crescent"].map((name) => inside(name, 0.1, 0))).toEqual([
      true,
      false,
      false,
    ]);
    expect(["disc", "ring", "crescent"].map((name) => inside(name, -0.6, 0))).toEqual([
      true,
      true,
      true,
    ]);
  });
});

describe("sample network", () => {
  it("is a file of at most 700 kB, small enough to travel with the page", () => {
    const path = fileURLToPath(new URL("../../demo/sample/model.onnx", import.meta.url));
    expect(statSync(path).size).toBeGreaterThan(100_000);
    expect(statSync(path).size).toBeLessThanOrEqual(700_000);
  });
});
