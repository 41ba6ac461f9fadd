// External data: a tensor's bytes in another file. The location is an opaque key into a Map that the
// caller fills; nothing here opens a path, and locations that look like one with a purpose are refused
// (onnx CVE-2024-27318, CVE-2026-34445; ONNX Runtime's in-memory address markers).

import type { TensorProto } from "./proto.ts";
import { damaged } from "./wire.ts";

const KNOWN_KEYS = new Set(["location", "offset", "length", "checksum"]);

function refuseLocation(location: string): string | undefined {
  if (location === "") return "it is empty";
  if (location.startsWith("/")) return "it is absolute";
  if (location.includes("\\")) return "it has a backslash";
  if (location.includes(":")) return "it has a colon";
  if (location.includes("\0")) return "it has a NUL";
  if (location.split("/").includes("..")) return "it climbs out of its folder";
  if (location.includes("_ORT_MEM_ADDR_")) return "it is a runtime's memory address";
  return undefined;
}

/** A decimal number of bytes; `fallback` where the key is absent. */
function byteCount(
  proto: TensorProto,
  keys: ReadonlyMap<string, string>,
  key: string,
  fallback: number,
): number {
  const text = keys.get(key);
  if (text === undefined) return fallback;
  const value = /^[0-9]{1,15}$/.test(text) ? Number(text) : -1;
  if (value >= 0) return value;
  throw damaged(
    `tensor "${proto.name}": external ${key} must be a number of bytes; got "${text}"`,
    proto.offset,
  );
}

/** The bytes of an external tensor, a view on the caller's. */
export function externalBytes(
  proto: TensorProto,
  keys: ReadonlyMap<string, string>,
  externalData: ReadonlyMap<string, Uint8Array> | undefined,
): Uint8Array {
  const where = `tensor "${proto.name}"`;
  for (const key of keys.keys()) {
    if (!KNOWN_KEYS.has(key)) {
      throw damaged(`${where}: unknown external data key "${key}"`, proto.offset);
    }
  }
  const location = keys.get("location") ?? "";
  const refusal = refuseLocation(location);
  if (refusal) {
    throw damaged(
      `${where}: external location ${JSON.stringify(location)} is refused: ${refusal}`,
      proto.offset,
      "Save the model with a plain file name as location.",
    );
  }
  const file = externalData?.get(location);
  if (file === undefined) {
    const known = [...(externalData?.keys() ?? [])].join(", ") || "none";
    throw damaged(
      `${where} keeps its data in "${location}"; got external data for ${known}`,
      proto.offset,
      `Pass the file's bytes: load(bytes, { externalData: new Map([["${location}", bytes]]) }).`,
    );
  }
  const start = byteCount(proto, keys, "offset", 0);
  const length = byteCount(proto, keys, "length", Math.max(0, file.length - start));
  if (start + length > file.length) {
    throw damaged(
      `${where} needs bytes ${start} … ${start + length} of "${location}", which has ${file.length}`,
      proto.offset,
      "Pass the complete file that belongs to this model.",
    );
  }
  return file.subarray(start, start + length);
}
