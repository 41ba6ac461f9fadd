// Tensors → safetensors: the header padded to eight bytes, larger elements first, so that every tensor
// of this file is aligned and reads back as a view.

import { InputError } from "../../errors.ts";
import { bytesPerElement, type DType } from "../../tensor/dtype.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { SAFETENSORS_LIMITS } from "./limits.ts";

/** The format has no word for four bits. */
const names: Readonly<Record<DType, string | undefined>> = {
  float32: "F32",
  float16: "F16",
  int32: "I32",
  int64: "I64",
  int8: "I8",
  uint8: "U8",
  int4: undefined,
  uint4: undefined,
  bool: "BOOL",
};

/** The bytes of a safetensors file. `metadata` is text for people and tools; no reader needs it here.
 *  Throws InputError for a name that the format keeps to itself or that no reader would take. */
export function writeSafetensors(
  tensors: ReadonlyMap<string, Tensor>,
  metadata: ReadonlyMap<string, string> = new Map(),
): Uint8Array {
  const encoder = new TextEncoder();
  const sorted = [...tensors].sort(
    ([, a], [, b]) => bytesPerElement(b.dtype) - bytesPerElement(a.dtype),
  );
  let end = 0;
  // Pairs become JSON by hand: a name like "__proto__" is a key, never a property.
  const parts = sorted.map(([name, { dtype, shape, data }]) => {
    if (name === "__metadata__" || encoder.encode(name).length > SAFETENSORS_LIMITS.nameBytes - 2) {
      throw new InputError(
        `safetensors: a tensor's name must not be __metadata__ and have at most ` +
          `${SAFETENSORS_LIMITS.nameBytes - 2} bytes; got ${JSON.stringify(name.slice(0, 60))}. Rename it.`,
      );
    }
    if (names[dtype] === undefined) {
      throw new InputError(
        `safetensors: "${name}" must have a dtype of whole bytes; got ${dtype}. Save the model as ONNX.`,
      );
    }
    const begin = end;
    end += data.byteLength;
    const facts = { dtype: names[dtype], shape, data_offsets: [begin, end] };
    return `${JSON.stringify(name)}:${JSON.stringify(facts)}`;
  });
  if (metadata.size > 0) {
    const pairs = [...metadata].map(
      ([key, text]) => `${JSON.stringify(key)}:${JSON.stringify(text)}`,
    );
    parts.unshift(`"__metadata__":{${pairs.join(",")}}`);
  }
  const header = encoder.encode(`{${parts.join(",")}}`);
  const length = Math.ceil(header.length / 8) * 8;
  const bytes = new Uint8Array(8 + length + end);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true);
  bytes.fill(0x20, 8 + header.length, 8 + length);
  bytes.set(header, 8);
  let at = 8 + length;
  for (const [, { data }] of sorted) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return bytes;
}
