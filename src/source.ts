// Where a file's bytes come from: whatever a caller holds already. Nothing is fetched here.

import { InputError } from "./errors.ts";
import { kindOf } from "./text/names.ts";

/** Where a file's bytes come from: whatever the caller has, or a Response that it fetched. */
export type Source =
  ArrayBufferView | ArrayBufferLike | Blob | Response | ReadableStream<Uint8Array>;

/** The bytes of `source`; `verb` opens the message of a Response that is no success. */
export async function bytesOf(source: Source, verb = "load"): Promise<Uint8Array> {
  // A Node Buffer is a Uint8Array whose slice() is no copy: see it as the plain kind.
  if (ArrayBuffer.isView(source)) {
    return new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
  }
  if (isBuffer(source)) return new Uint8Array(source);
  if (typeof ReadableStream !== "undefined" && source instanceof ReadableStream)
    return new Uint8Array(await new Response(source).arrayBuffer());
  if (typeof (source as Blob | undefined)?.arrayBuffer !== "function") {
    throw new InputError(
      `${verb}: the file must be its bytes (Uint8Array, ArrayBuffer), a Blob, a Response or a URL; got ` +
        `${kindOf(source)}. Read the file first.`,
    );
  }
  if (typeof Response !== "undefined" && source instanceof Response && !source.ok) {
    throw new InputError(
      `${verb}: the response must be a success; got HTTP ${source.status} for ${source.url}. Check the address.`,
    );
  }
  return new Uint8Array(await (source as Blob).arrayBuffer());
}

const isBuffer = (source: unknown): source is ArrayBufferLike =>
  source instanceof ArrayBuffer ||
  (typeof SharedArrayBuffer !== "undefined" && source instanceof SharedArrayBuffer);

/** The absolute form of an address, in a page relative to it. Throws InputError for what is none. */
export function addressOf(text: string, verb = "load"): string {
  const { location } = globalThis as { location?: { href: string } };
  const base = URL.canParse(location?.href ?? "") ? location?.href : undefined;
  if (!URL.canParse(text, base)) {
    throw new InputError(
      `${verb}: must be a URL; got ${JSON.stringify(text.slice(0, 80))}. In Node read a file first: ` +
        `${verb}(await readFile(path)), of node:fs/promises.`,
    );
  }
  const url = new URL(text, base);
  if (/^[a-z]:$/i.test(url.protocol) || url.protocol === "file:") {
    throw new InputError(
      `${verb}: must be a URL that can be fetched; got ${JSON.stringify(text.slice(0, 80))}, a file. Read it ` +
        `first: ${verb}(await readFile(path)), of node:fs/promises.`,
    );
  }
  return url.href;
}
