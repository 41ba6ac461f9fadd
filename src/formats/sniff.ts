// What a file is that this library does not read, by how it begins: a download that went wrong, another tool's model,
// an archive, a picture. Each kind has a way out, so nobody is told that a good file of another kind is damaged.

import { FormatError } from "../errors.ts";

interface Kind {
  /** "a Git LFS pointer, not the file itself". */
  readonly what: string;
  readonly wayOut: string;
}

const DIRECT =
  "Use the link to the file itself (on Hugging Face /resolve/ in place of /blob/, on GitHub the raw file).";
const CONVERT = "Convert it to ONNX:";
const UNPACK = "Unpack it, and pass the model in it.";
const MODEL = "Pass a model: .onnx, TorchScript .pt, or weights as .pth or .safetensors.";

/** How far into a file its words are looked for. */
const WINDOW = 1 << 16;

/** Files that begin with fixed bytes, at an offset. */
const MAGIC: readonly (readonly [offset: number, magic: string, what: string, wayOut: string])[] = [
  [
    0,
    "version https://git-lfs.github.com/spec/",
    "a Git LFS pointer, not the file itself",
    "Fetch the file: git lfs pull, or download it through the site's own link.",
  ],
  [
    4,
    "TFL3",
    "a TensorFlow Lite model",
    `${CONVERT} python -m tf2onnx.convert --tflite FILE --output model.onnx.`,
  ],
  [4, "ORTM", "a model in ONNX Runtime's .ort form", "Pass the .onnx file that it was made from."],
  [
    0,
    "GGUF",
    "a GGUF model of llama.cpp",
    "Pass the model's ONNX export; GGUF's weight types are not read here.",
  ],
  [
    0,
    "lmgg",
    "a GGML model of llama.cpp",
    "Pass the model's ONNX export; GGML's weight types are not read here.",
  ],
  [
    0,
    "\x89HDF\r\n\x1a\n",
    "an HDF5 file, as Keras writes models and weights",
    `${CONVERT} model.export("model.onnx", format="onnx") in Keras 3, or python -m tf2onnx.convert.`,
  ],
  [0, "7767517\n", "an ncnn model", "Pass the ONNX file that it was made from."],
  [0, "\x1f\x8b", "a gzip archive", UNPACK],
  [0, "BZh", "a bzip2 archive", UNPACK],
  [0, "\xfd7zXZ\0", "an xz archive", UNPACK],
  [0, "\x28\xb5\x2f\xfd", "a zstd archive", UNPACK],
  [0, "7z\xbc\xaf\x27\x1c", "a 7-Zip archive", UNPACK],
  [0, "Rar!", "a RAR archive", UNPACK],
  [257, "ustar", "a tar archive", UNPACK],
  [0, "\x93NUMPY", "a NumPy array", `Pass it as data, not as the model. ${MODEL}`],
  [0, "\x89PNG", "a picture (PNG)", `Pass it as data, not as the model. ${MODEL}`],
  [0, "\xff\xd8\xff", "a picture (JPEG)", `Pass it as data, not as the model. ${MODEL}`],
  [0, "GIF8", "a picture (GIF)", `Pass it as data, not as the model. ${MODEL}`],
  [8, "WEBP", "a picture (WebP)", `Pass it as data, not as the model. ${MODEL}`],
  [0, "BM", "a picture (BMP)", `Pass it as data, not as the model. ${MODEL}`],
  [8, "WAVE", "a sound file (WAV)", `Pass it as data, not as the model. ${MODEL}`],
  [0, "%PDF", "a PDF document", MODEL],
  [0, "\x7fELF", "a program", MODEL],
];

/** The first `length` bytes from `start`, one character each. */
function latin(bytes: Uint8Array, length: number, start = 0): string {
  const part = bytes.subarray(start, start + length);
  let text = "";
  for (let at = 0; at < part.length; at += 4096)
    text += String.fromCharCode(...part.subarray(at, at + 4096));
  return text;
}

/** The file's text, where its beginning is all text. */
function textOf(bytes: Uint8Array): string | undefined {
  const head = bytes.subarray(0, 2048);
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(head, { stream: true });
    const isPlain = head.every((byte) => byte >= 32 || (byte >= 9 && byte <= 13));
    return isPlain ? text.trimStart() : undefined;
  } catch {
    return undefined;
  }
}

function kindOfText(bytes: Uint8Array, text: string): Kind {
  const start = JSON.stringify(text.slice(0, 60).trim());
  if (/^<!doctype html|^<html|^<head|^<body/i.test(text))
    return { what: "a web page (HTML), not a model", wayOut: DIRECT };
  if (text.startsWith("<")) {
    if (/<net[\s>]/.test(text))
      return {
        what: "an OpenVINO model (.xml)",
        wayOut: "Pass the ONNX file that it was made from.",
      };
    return { what: `an XML message that begins ${start}`, wayOut: DIRECT };
  }
  if (/^[[{]/.test(text)) {
    const whole = latin(bytes, WINDOW);
    if (whole.includes('"modelTopology"'))
      return {
        what: "a TensorFlow.js model (JSON)",
        wayOut: `${CONVERT} python -m tf2onnx.convert --tfjs FILE --output model.onnx.`,
      };
    if (whole.includes('"weight_map"'))
      return {
        what: "the index of sharded weights (JSON)",
        wayOut: "Join the shards it names to one .safetensors file, and pass that.",
      };
    if (whole.includes('"pir"'))
      return {
        what: "a PaddlePaddle model (JSON)",
        wayOut: `${CONVERT} paddle2onnx --model_dir FOLDER --save_file model.onnx.`,
      };
    return { what: `JSON that begins ${start}, not a model`, wayOut: MODEL };
  }
  return {
    what: `text that begins ${start}, not a model`,
    wayOut: `Where this was a download, read what the server says. ${MODEL}`,
  };
}

/** Protobuf files of other tools begin as ONNX files do: words in them tell. */
const PROTOBUF: readonly (readonly [words: RegExp, what: string, wayOut: string])[] = [
  [
    /coremltools|com\.apple\./,
    "a Core ML model",
    "Pass the ONNX or PyTorch file that it was made from.",
  ],
  [
    /saved_model|__saved_model_|serving_default|VarHandleOp|StatefulPartitionedCall/,
    "a TensorFlow SavedModel",
    `${CONVERT} python -m tf2onnx.convert --saved-model FOLDER --output model.onnx.`,
  ],
  [
    /\bPlaceholder\b[\s\S]*\bdtype\b|_output_shapes|\bDT_FLOAT\b/,
    "a TensorFlow graph (frozen .pb)",
    `${CONVERT} python -m tf2onnx.convert --graphdef FILE --output model.onnx --inputs … --outputs ….`,
  ],
  [
    /\bfetch\b[\s\S]*\bfeed\b|\bfeed\b[\s\S]*\bfetch\b|\bpd_op\b|op_callstack/,
    "a PaddlePaddle model",
    `${CONVERT} paddle2onnx --model_dir FOLDER --save_file model.onnx.`,
  ],
  [
    /\bInnerProduct\b|\bConvolution\b[\s\S]*\bconv/,
    "a Caffe model",
    `${CONVERT} caffe2onnx, or MMdnn.`,
  ],
];

function kindOf(bytes: Uint8Array): Kind | undefined {
  if (bytes.length === 0)
    return { what: "empty", wayOut: "Check the download, or the program that wrote the file." };
  const head = latin(bytes, 300);
  for (const [offset, magic, what, wayOut] of MAGIC) {
    if (head.startsWith(magic, offset)) return { what, wayOut };
  }
  if (bytes.subarray(0, 4096).every((byte) => byte === 0))
    return {
      what: "all zeros at its beginning",
      wayOut: "Download or copy it again: it was not written whole.",
    };
  const text = textOf(bytes);
  return text === undefined ? undefined : kindOfText(bytes, text);
}

function errorOf({ what, wayOut }: Kind): FormatError {
  return new FormatError("file", `must be a model that this library reads; got ${what}`, wayOut);
}

/** Throws FormatError where `bytes` begin as a file of a kind that is known and not read here. */
export function refuseOtherKinds(bytes: Uint8Array): void {
  const kind = kindOf(bytes);
  if (kind) throw errorOf(kind);
}

/** What to throw for `bytes` that no ONNX reader took: the other kind of protobuf file that they are, or the fault. */
export function otherProtobuf(bytes: Uint8Array, fault: FormatError): FormatError {
  const words = latin(bytes, WINDOW);
  const tail = latin(bytes, WINDOW, Math.max(WINDOW, bytes.length - WINDOW));
  for (const [pattern, what, wayOut] of PROTOBUF) {
    if (pattern.test(words) || pattern.test(tail)) return errorOf({ what, wayOut });
  }
  // An ONNX file begins with its version, or with its producer.
  const [tag, version = 0] = bytes;
  if (tag === 0x12 || (tag === 0x08 && version > 0 && version < 32)) return fault;
  const first = [...bytes.subarray(0, 8)].map((byte) => byte.toString(16).padStart(2, "0"));
  return errorOf({ what: `bytes that begin ${first.join(" ")}`, wayOut: MODEL });
}
