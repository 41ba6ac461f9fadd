// Files that commands read: whatever a user names is read or refused in words, and beside a model only what
// belongs to it.
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { loadModel, readInput } from "../../../src/cli/files.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "webgpu-quant-files-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const path = (name: string) => join(folder, name);

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

/** Why the weights of m.onnx, in `file`, are refused. */
const refusal = (model = "m.onnx") =>
  loadModel(path(model)).then(
    () => "no error",
    (reason: unknown) => String(reason).replaceAll(folder, ""),
  );

it("weights are regular files of the model's folder, whatever links say", async () => {
  mkdirSync(path("model/sub"), { recursive: true });
  writeFileSync(path("model/m.onnx"), modelWithData());
  writeFileSync(path("secret"), new Uint8Array(4));
  symlinkSync("../secret", path("model/w.bin"));
  expect(await refusal("model/m.onnx")).toMatchInlineSnapshot(
    `"InputError: model data "/model/w.bin": must be a file in the model's folder; got a link to "/secret". If you trust the model, copy the file there."`,
  );
  // A link to a link, and a folder that leads outside.
  rmSync(path("model/w.bin"));
  symlinkSync("sub/again", path("model/w.bin"));
  symlinkSync(path("secret"), path("model/sub/again"));
  expect(await refusal("model/m.onnx")).toContain("must be a file in the model's folder");
  rmSync(path("model/w.bin"));
  mkdirSync(path("model/w.bin"));
  expect(await refusal("model/m.onnx")).toMatchInlineSnapshot(
    `"InputError: model data "/model/w.bin": it is a folder, not a file. Put the file beside the model."`,
  );
  rmSync(path("model/w.bin"), { recursive: true });
  writeFileSync(path("model/sub/w"), new Uint8Array(Float32Array.of(1.5).buffer));
  symlinkSync("sub/w", path("model/w.bin"));
  expect(await refusal("model/m.onnx")).toBe("no error"); // stays inside
});

it("a model and its weights that are links into one folder load, as download caches keep them", async () => {
  mkdirSync(path("blobs"));
  mkdirSync(path("snapshot"));
  writeFileSync(path("blobs/abc"), modelWithData());
  writeFileSync(path("blobs/def"), new Uint8Array(Float32Array.of(1.5).buffer));
  symlinkSync("../blobs/abc", path("snapshot/m.onnx"));
  symlinkSync("../blobs/def", path("snapshot/w.bin"));
  expect(await refusal("snapshot/m.onnx")).toBe("no error");
});

describe.skipIf(process.platform === "win32")("FIFOs and devices", () => {
  const fifo = (name: string) => spawnSync("mkfifo", [path(name)]);

  it("are no weights of a model, and nothing waits for them", async () => {
    writeFileSync(path("m.onnx"), modelWithData());
    fifo("w.bin");
    expect(await refusal()).toMatchInlineSnapshot(
      `"InputError: model data "/w.bin": must be a regular file; got a FIFO. Put the file that belongs to the model there."`,
    );
    rmSync(path("w.bin"));
    symlinkSync("/dev/zero", path("w.bin"));
    expect(await refusal()).toContain('got a link to "/dev/zero"');
  });

  it("named by the user are read to their end", async () => {
    fifo("p");
    const read = readInput("model", path("p"));
    spawn("sh", ["-c", `sleep 0.1; head -c 300000 /dev/zero > "$0"`, path("p")]);
    expect(await read).toHaveLength(300_000);
    expect(await readInput("model", "/dev/null")).toHaveLength(0);
  });

  it("that nobody writes to stop when the user does", async () => {
    fifo("p");
    const controller = new AbortController();
    const read = readInput("model", path("p"), controller.signal);
    const reason = new Error("stop");
    setTimeout(() => controller.abort(reason), 20);
    await expect(read).rejects.toBe(reason);
  });

  it("that have no end are refused", async () => {
    const error = await readInput("model", "/dev/zero").catch((reason: unknown) => String(reason));
    expect(error).toMatchInlineSnapshot(
      `"InputError: model "/dev/zero": it is a device that has no end. Check the path."`,
    );
  });
});
