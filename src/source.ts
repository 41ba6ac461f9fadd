// Where a file's bytes come from: whatever a caller holds already. Nothing is fetched here.

import { InputError } from "./errors.ts";

/** Where a model comes from. The library fetches nothing: pass the Response that you fetched. */
export type Source = Uint8Array | ArrayBuffer | Blob | Response;

/** The bytes of `source`; `verb` opens the message of a Response that is no success. */
export async function bytesOf(source: Source, verb = "load"): Promise<Uint8Array> {
  // A Node Buffer is a Uint8Array whose slice() is no copy: see it as the plain kind.
  if (source instanceof Uint8Array) {
    return new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
  }
  if (source instanceof ArrayBuffer) return new Uint8Array(source);
  if (typeof Response !== "undefined" && source instanceof Response && !source.ok) {
    throw new InputError(
      `${verb}: the response must be a success; got HTTP ${source.status} for ${source.url}. Check the address.`,
    );
  }
  return new Uint8Array(await source.arrayBuffer());
}
