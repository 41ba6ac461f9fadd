// Files of other kinds are told what they are, and what to do; a damaged ONNX file stays one.

import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { FormatError } from "../../../src/errors.ts";
import { load } from "../../../src/load.ts";
import { models } from "../../../src/index.ts";
import { formatNpy } from "../../../src/tensor/npy.ts";
import { float32 } from "../../../src/tensor/tensor.ts";
import { node, tiny } from "./onnxModels.ts";
import { zipOf } from "./torch/support.ts";

const text = (words: string) => new Uint8Array(Buffer.from(words, "latin1"));
const array = formatNpy(float32([1], [1]));
const pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 13370000\n";
/** saved_model.pb: schema version, then a meta graph with its tags and ops. */
const savedModel =
  "\x08\x01\x12\x40\x0a\x20\x12\x05serve*\x14StatefulPartitionedCall\x12\x05\x0a\x03abc";
const frozen =
  "\x0a\x2e\x0a\x05input\x12\x0bPlaceholder*\x0b\x0a\x05dtype\x12\x02\x30\x01*\x0d\x0a\x05shape";

const kinds: [string, Uint8Array, RegExp][] = [
  ["nothing", new Uint8Array(), /got empty\. Check the download/],
  ["zeros", new Uint8Array(5000), /got all zeros at its beginning\. Download or copy/],
  [
    "Git LFS",
    text(pointer),
    /got a Git LFS pointer, not the file itself\. Fetch the file: git lfs/,
  ],
  ["HTML", text("\n<!DOCTYPE html><html><title>Sign in"), /got a web page \(HTML\).*\/resolve\//],
  ["XML", text('<?xml version="1.0"?><Error><Code>AccessDenied'), /got an XML message that begins/],
  ["OpenVINO", text('<?xml version="1.0"?>\n<net name="m" version="11">'), /an OpenVINO model/],
  ["JSON", text('{"hidden_size": 768}'), /got JSON that begins "\{\\"hidden_size\\": 768\}"/],
  ["TensorFlow.js", text('{"format": "graph-model", "modelTopology": {}}'), /TensorFlow\.js model/],
  ["index of shards", text('{"metadata": {}, "weight_map": {}}'), /index of sharded weights/],
  ["text", text("Not Found"), /got text that begins "Not Found".*read what the server says/],
  [
    "TFLite",
    text("\x1c\0\0\0TFL3\0\0"),
    /a TensorFlow Lite model\. Convert it to ONNX: python -m tf2onnx/,
  ],
  ["ORT", text("\x08\0\0\0ORTM\0\0"), /ONNX Runtime's \.ort form\. Pass the \.onnx/],
  ["GGUF", text("GGUF\x03\0\0\0"), /a GGUF model of llama\.cpp/],
  ["HDF5", text("\x89HDF\r\n\x1a\n\0\0"), /an HDF5 file, as Keras writes/],
  ["ncnn", text("7767517\n75 83\n"), /an ncnn model/],
  ["gzip", new Uint8Array(gzipSync("model")), /a gzip archive\. Unpack it/],
  ["tar", text("model.onnx" + "\0".repeat(247) + "ustar\0"), /a tar archive/],
  [
    "zip of ONNX",
    zipOf([{ name: "model.onnx", data: array }]),
    /an \.onnx file lies in it: unpack/,
  ],
  ["Keras 3", zipOf([{ name: "model.weights.h5", data: array }]), /it is a Keras model/],
  ["npy", array, /a NumPy array\. Pass it as data/],
  ["npz", zipOf([{ name: "a.npy", data: array }]), /it holds NumPy arrays/],
  ["PNG", text("\x89PNG\r\n\x1a\n"), /a picture \(PNG\)/],
  ["JPEG", text("\xff\xd8\xff\xe0\0\x10JFIF"), /a picture \(JPEG\)/],
  ["SavedModel", text(savedModel), /a TensorFlow SavedModel\. Convert it to ONNX/],
  ["frozen graph", text(frozen), /a TensorFlow graph \(frozen \.pb\)/],
  ["Core ML", text("\x08\x04\x12\x30\x0a\x10\x12\x20coremltoolsVersion"), /a Core ML model/],
  [
    "PaddlePaddle",
    text("\x0a\x20\x08\0\x10\0\x1a\x08\x0a\x04feed\x1a\x09\x0a\x05fetch"),
    /PaddlePaddle/,
  ],
  [
    "unknown bytes",
    text("\x99\x01\x02\x03\xff\xfe\0\0"),
    /got bytes that begin 99 01 02 03 ff fe 00 00/,
  ],
];

describe("load says what a file is", () => {
  it.each(kinds)("%s", async (_, bytes, words) => {
    const error: unknown = await load(bytes).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(FormatError);
    expect((error as Error).message).toMatch(words);
    expect((error as Error).message).not.toContain("damaged");
  });

  it("a response with status 200 that is a page, too", async () => {
    const page = new Response("<html><body>Log in</body></html>", {
      headers: { "content-type": "text/html" },
    });
    await expect(load(page)).rejects.toThrow("got a web page (HTML), not a model. Use the link");
  });

  it("weights too", async () => {
    await expect(models.resnet18({ weights: text(pointer) })).rejects.toThrow(
      "got a Git LFS pointer",
    );
  });

  it("a cut ONNX file is damaged still, and one that breaks the standard is not", async () => {
    const bytes = tiny({ nodes: [node("Relu", ["x"])] });
    await expect(load(bytes.subarray(0, bytes.length - 9))).rejects.toThrow("The file is damaged");
    const wrong = tiny({ nodes: [node("Relu", ["x", "x"])] });
    await expect(load(wrong)).rejects.toThrow(
      /it takes 1 input\(s\); got 2\. Export the model again/,
    );
  });
});
