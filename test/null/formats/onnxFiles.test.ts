// Real files, where they are present: a MobileNetV2, and the operator cases of the ONNX project.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { describe, expect, it } from "vitest";
import { UnsupportedError } from "../../../src/errors.ts";
import { tensorProto } from "../../../src/formats/onnx/draft.ts";
import { exportOnnx } from "../../../src/formats/onnx/export.ts";
import { importOnnx } from "../../../src/formats/onnx/import.ts";
import { ONNX_LIMITS } from "../../../src/formats/onnx/limits.ts";
import type { TensorProto } from "../../../src/formats/onnx/proto.ts";
import { readModel } from "../../../src/formats/onnx/read.ts";
import { decodeTensor, readTensor } from "../../../src/formats/onnx/readTensor.ts";
import { WireReader } from "../../../src/formats/onnx/wire.ts";
import { writeModel } from "../../../src/formats/onnx/write.ts";
import { bindShapes } from "../../../src/graph/bind.ts";
import { interpret } from "../../../src/reference/interpret.ts";
import { toNumbers, type Tensor } from "../../../src/tensor/tensor.ts";

const data = new URL("../../../../shared/data/", import.meta.url).pathname;
const mobilenet = `${data}models/mobilenetv2-float.onnx`;
const cases = `${data}onnx-node-tests`;
const hasModel = existsSync(mobilenet);
const hasCases = existsSync(cases);
if (!hasModel) console.log("onnxFiles: the MobileNetV2 file is not there; its tests are skipped");
if (!hasCases) console.log("onnxFiles: the ONNX operator cases are not there; skipped");

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

function tensorFile(path: string): TensorProto {
  const bytes = new BinaryWriter()
    .tag(1, WireType.LengthDelimited)
    .bytes(readFileSync(path))
    .finish();
  const reader = new WireReader(bytes, ONNX_LIMITS);
  let tensor: TensorProto | undefined;
  reader.fields(() => (tensor = readTensor(reader)));
  if (!tensor) throw new Error(path);
  return tensor;
}

describe.skipIf(!hasCases)("operator cases of the ONNX project", () => {
  const names = hasCases ? readdirSync(cases).filter((name) => name.startsWith("test_")) : [];
  /** Inputs that must be known at import: shapes, axes, bounds, scales. The first is never one. */
  const isKnown = /clip|linear|pad/;

  it("are imported and agree with the reference interpreter, or are refused by name", () => {
    const outcomes = { agree: 0, refused: 0 };
    for (const name of names) {
      const folder = `${cases}/${name}`;
      const model = readModel(new Uint8Array(readFileSync(`${folder}/model.onnx`)), ONNX_LIMITS);
      const feeds: Record<string, Tensor> = {};
      const initializers: TensorProto[] = [];
      model.graph.inputs.forEach((input, at) => {
        const proto = tensorFile(`${folder}/test_data_set_0/input_${at}.pb`);
        const value = decodeTensor(proto, undefined);
        const isFed = proto.dataType === 1 && !(at > 0 && isKnown.test(name));
        if (value && isFed) feeds[input.name] = value;
        else if (value) initializers.push(tensorProto(input.name, value));
      });
      const bytes = writeModel({ ...model, graph: { ...model.graph, initializers } });
      try {
        const graph = importOnnx(bytes);
        const values = interpret(bindShapes(graph, new Map()), feeds);
        graph.outputs.forEach((output, at) => {
          const proto = tensorFile(`${folder}/test_data_set_0/output_${at}.pb`);
          const [got, want] = [values.get(output), decodeTensor(proto, undefined)];
          expect(got?.shape, name).toEqual(want?.shape);
          const numbers = want ? toNumbers(want) : [];
          const most = Math.max(1, ...numbers.map(Math.abs));
          const given = got ? toNumbers(got) : [];
          // 1e-4: one case stores inputs and outputs with four decimals; the others are within 1e-6.
          numbers.forEach((value, index) => {
            expect(Math.abs(value - (given[index] ?? NaN)), name).toBeLessThanOrEqual(1e-4 * most);
          });
        });
        outcomes.agree++;
      } catch (error) {
        if (!(error instanceof UnsupportedError)) throw new Error(name, { cause: error });
        outcomes.refused++;
      }
    }
    expect(outcomes.agree + outcomes.refused).toBe(names.length);
    expect(outcomes.agree).toBeGreaterThan(100);
  });
});
