// A real file, where it is present: a MobileNetV2. The ONNX project's operator cases are in test/onnx.

import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { exportOnnx } from "../../../src/formats/onnx/export.ts";
import { importOnnx } from "../../../src/formats/onnx/import.ts";
import { ONNX_LIMITS } from "../../../src/formats/onnx/limits.ts";
import { readModel } from "../../../src/formats/onnx/read.ts";

const data = new URL("../../../../shared/data/", import.meta.url).pathname;
const mobilenet = `${data}models/mobilenetv2-float.onnx`;
const hasModel = existsSync(mobilenet);
if (!hasModel) console.log("onnxFiles: the MobileNetV2 file is not there; its tests are skipped");

describe.skipIf(!hasModel)("MobileNetV2", () => {
  const bytes = hasModel ? new Uint8Array(readFileSync(mobilenet)) : new Uint8Array();

  it("has the nodes it should have", () => {
    const counts = new Map<string, number>();
    for (const { op } of importOnnx(bytes).nodes) counts.set(op, (counts.get(op) ?? 0) + 1);
    expect(Object.fromEntries(counts)).toEqual({
      Conv: 52,
      BatchNormalization: 52,
      Clip: 35,
      Add: 10,
      GlobalAveragePool: 1,
      Flatten: 1,
      Gemm: 1,
    });
  });

  it("keeps every weight that is aligned in the file as a view on it", () => {
    const graph = importOnnx(bytes);
    let views = 0;
    for (const { name, payload } of readModel(bytes, ONNX_LIMITS).graph.initializers) {
      if (payload?.field !== "raw_data") throw new Error(name);
      const isView = graph.constants.get(name)?.data.buffer === bytes.buffer;
      expect(isView, name).toBe(payload.bytes.byteOffset % 4 === 0);
      if (isView) views++;
    }
    expect(views).toBeGreaterThan(30); // of 262: one in four starts at a multiple of 4
  });

  it("comes back equal after an export", () => {
    const graph = importOnnx(bytes);
    const back = importOnnx(exportOnnx(graph));
    expect([back.nodes, back.values]).toEqual([graph.nodes, graph.values]);
    for (const [name, { data }] of graph.constants) {
      const other = back.constants.get(name)?.data ?? new Float32Array();
      const [left, right] = [data, other].map((array) =>
        Buffer.from(array.buffer, array.byteOffset, array.byteLength),
      );
      expect(left?.equals(right ?? Buffer.alloc(0)), name).toBe(true);
    }
  });
});
