// Output files appear complete or not at all; what cannot be written is refused before the work.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { afterEach, beforeEach, expect, it } from "vitest";
import { checkOutput, loadModel, readInput, writeOutput } from "../../../src/cli/files.ts";
import { InputError } from "../../../src/errors.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "webgpu-quant-files-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const path = (name: string) => join(folder, name);

it("an output replaces the file of its name, and no other file remains", async () => {
  writeFileSync(path("a.onnx"), "old");
  await writeOutput(path("a.onnx"), Uint8Array.of(1, 2, 3));
  expect([...readFileSync(path("a.onnx"))]).toEqual([1, 2, 3]);
  expect(readdirSync(folder)).toEqual(["a.onnx"]);
});

it("an aborted output leaves the old file and no partial one", async () => {
  writeFileSync(path("a.onnx"), "old");
  const reason = new Error("stop");
  await expect(
    writeOutput(path("a.onnx"), new Uint8Array(1000), AbortSignal.abort(reason)),
  ).rejects.toBe(reason);
  expect(readFileSync(path("a.onnx"), "utf8")).toBe("old");
  expect(readdirSync(folder)).toEqual(["a.onnx"]);
});

it("an output that cannot take its name leaves no temporary file", async () => {
  mkdirSync(path("taken/inside"), { recursive: true });
  await expect(writeOutput(path("taken"), Uint8Array.of(1))).rejects.toThrow(InputError);
  expect(readdirSync(folder)).toEqual(["taken"]);
});

it("a missing folder, a folder in the file's place and an input's name are refused early", async () => {
  const refusal = async (out: string) => {
    const error: unknown = await checkOutput("--out", path(out), [path("m.onnx")]).catch(
      (reason: unknown) => reason,
    );
    return error instanceof InputError ? error.message.replaceAll(folder, "") : error;
  };
  mkdirSync(path("here"));
  expect(await refusal("none/a.onnx")).toMatchInlineSnapshot(
    `"--out "/none/a.onnx": cannot write into "/none": no such file or folder. Make the folder first."`,
  );
  expect(await refusal("here")).toMatchInlineSnapshot(
    `"--out "/here": it is a folder, not a file. Name a file in it."`,
  );
  expect(await refusal("m.onnx")).toMatchInlineSnapshot(
    `"--out "/m.onnx": would overwrite an input. Choose another name."`,
  );
  expect(await refusal("here/a.onnx")).toBeUndefined();
  expect(readdirSync(path("here"))).toEqual([]);
});

it("an input that is missing, or a folder, is named", async () => {
  const problem = (name: string) =>
    readInput("model", path(name)).catch((error: unknown) => String(error).replaceAll(folder, ""));
  expect(await problem("none.onnx")).toMatchInlineSnapshot(
    `"InputError: model "/none.onnx": no such file or folder. Check the path."`,
  );
  expect(await problem("")).toMatchInlineSnapshot(
    `"InputError: model "": it is a folder, not a file. Check the path."`,
  );
});

it("a truncated model is a typed error and not a crash", async () => {
  const sample = readFileSync(new URL("../../../demo/sample/model.onnx", import.meta.url));
  writeFileSync(path("cut.onnx"), sample.subarray(0, sample.length >> 1));
  await expect(loadModel(path("cut.onnx"))).rejects.toMatchObject({ code: "format" });
});

/** y = x + w, with w [1] in the file w.bin. */
function modelWithData(): Uint8Array {
  const { Varint, LengthDelimited } = WireType;
  const out = new BinaryWriter();
  const message = (field: number, body: () => void) => {
    out.tag(field, LengthDelimited).fork();
    body();
    out.join();
  };
  const text = (field: number, value: string) => out.tag(field, LengthDelimited).string(value);
  const integer = (field: number, value: number) => out.tag(field, Varint).int64(value);
  integer(1, 8); // IR version
  message(7, () => {
    message(1, () => [text(1, "x"), text(1, "w"), text(2, "y"), text(4, "Add")]);
    message(5, () => {
      integer(1, 1); // dims
      integer(2, 1); // float32
      text(8, "w");
      message(13, () => [text(1, "location"), text(2, "w.bin")]);
      integer(14, 1); // external
    });
    message(11, () => {
      text(1, "x");
      message(2, () =>
        message(1, () => [integer(1, 1), message(2, () => message(1, () => integer(1, 1)))]),
      );
    });
    message(12, () => text(1, "y"));
  });
  message(8, () => integer(2, 17)); // opset
  return out.finish();
}

it("weights in a file beside the model are read and count as its bytes", async () => {
  const bytes = modelWithData();
  writeFileSync(path("m.onnx"), bytes);
  writeFileSync(path("w.bin"), new Uint8Array(Float32Array.of(2.5).buffer));
  const loaded = await loadModel(path("m.onnx"));
  expect([...(loaded.model.graph.constants.get("w")?.data ?? [])]).toEqual([2.5]);
  expect(loaded.bytes).toBe(bytes.length + 4);
});

it("weights whose file is missing are named", async () => {
  writeFileSync(path("m.onnx"), modelWithData());
  const error = await loadModel(path("m.onnx")).catch((reason: unknown) => String(reason));
  expect(String(error).replaceAll(folder, "")).toMatchInlineSnapshot(
    `"InputError: model data "/w.bin": no such file or folder. Put the file beside the model."`,
  );
});
