// Fetches one file that the caller named: with progress, kept in the Cache API where there is one, and
// checked against the hash that PyTorch writes into its files' names. Nothing else here uses the network.

import { DownloadError } from "./errors.ts";

export interface DownloadOptions {
  readonly signal?: AbortSignal;
  /** Called as bytes arrive; `total` where the server tells it. */
  readonly onProgress?: (progress: { readonly loaded: number; readonly total?: number }) => void;
  /** Instead of the global one, as for a proxy or a test. */
  readonly fetch?: (url: string, init: { readonly signal?: AbortSignal }) => Promise<Response>;
  /** Where files are kept; the platform's Cache API unless given, null for nowhere. */
  readonly caches?: Pick<CacheStorage, "open"> | null;
}

const CACHE = "webgpu-quant";

const PYTORCH = "download.pytorch.org";

/** The first digits of a file's sha256, as `torch.hub` reads them from its name: `resnet18-f37072fd.pth`.
 *  Eight digits without a letter are a date anywhere but at PyTorch's own. */
export function hashOf(url: string): string | undefined {
  const { host, pathname } = new URL(url);
  const hash = /[-_]([0-9a-f]{8}|[0-9a-f]{64})\.[a-z]+$/.exec(pathname)?.[1];
  return hash !== undefined && (host === PYTORCH || /[a-f]/.test(hash)) ? hash : undefined;
}

/** Throws DownloadError unless the sha256 of `bytes` begins as the file's name says. */
async function check(url: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  const wanted = hashOf(url);
  if (wanted === undefined) return;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const hex = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  if (hex.startsWith(wanted)) return;
  throw new DownloadError(
    url,
    `the sha256 must begin with ${wanted}, as the name says; got ${hex.slice(0, wanted.length)}`,
    "Download it again; if it stays so, do not use the file.",
  );
}

async function read(
  url: string,
  response: Response,
  { onProgress }: DownloadOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  if (!response.body || !onProgress) return new Uint8Array(await response.arrayBuffer());
  const length = Number(response.headers.get("content-length"));
  // With a content encoding the length is that of the encoded bytes, and across origins nobody says so.
  const isPlain = length > 0 && !response.headers.has("content-encoding");
  const known = isPlain && response.type !== "cors";
  const chunks: Uint8Array[] = [];
  let loaded = 0;
  const reader = response.body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    chunks.push(value);
    loaded += value.length;
    onProgress({ loaded, ...(isPlain && loaded <= length ? { total: length } : {}) });
  }
  if (known && loaded !== length) {
    throw new DownloadError(url, `${length} bytes were announced; got ${loaded}`, "Try again.");
  }
  const bytes = new Uint8Array(loaded);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

/** The cache, where the platform has one and lets this page use it. */
async function openCache({ caches }: DownloadOptions): Promise<Cache | undefined> {
  const storage = caches === undefined ? globalThis.caches : caches;
  try {
    return await storage?.open(CACHE);
  } catch {
    return undefined; // private windows and opaque origins have the API and refuse it
  }
}

/** What a cache gives, or undefined where it refuses: a full disk, a scheme that it does not keep. */
async function attempt<T>(work: Promise<T> | undefined): Promise<T | undefined> {
  try {
    return await work;
  } catch {
    return undefined;
  }
}

/**
 * The bytes at `url`. Only files whose name has their hash are kept: a kept copy is checked as a fresh one
 * is, and replaced if it is damaged. Any other file is the platform's HTTP cache's to keep.
 * @throws DownloadError where the server cannot be reached, for a response that is no success and for bytes
 *   that are not the file's; the signal's reason where it aborts.
 */
export async function download(
  url: string,
  options: DownloadOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const { signal } = options;
  signal?.throwIfAborted();
  const cache = hashOf(url) === undefined ? undefined : await openCache(options);
  const kept = await attempt(cache?.match(url));
  if (kept) {
    const bytes = new Uint8Array(await kept.arrayBuffer());
    try {
      await check(url, bytes);
      return bytes;
    } catch (error) {
      if (!(error instanceof DownloadError)) throw error;
      await attempt(cache?.delete(url));
    }
  }
  const bytes = await get(url, options);
  signal?.throwIfAborted();
  await check(url, bytes);
  await attempt(cache?.put(url, new Response(bytes)));
  return bytes;
}

async function get(url: string, options: DownloadOptions): Promise<Uint8Array<ArrayBuffer>> {
  const { signal } = options;
  const fetch = options.fetch ?? globalThis.fetch;
  try {
    const response = await fetch(url, signal ? { signal } : {});
    if (response.ok) return await read(url, response, options);
    throw new DownloadError(
      url,
      `the server answered HTTP ${response.status}`,
      "Check the address.",
    );
  } catch (error) {
    if (error instanceof DownloadError || signal?.aborted) throw error;
    throw new DownloadError(
      url,
      `the download failed: ${error instanceof Error ? error.message : String(error)}`,
      "Check the connection; in a page the server must allow cross-origin requests (CORS), or fetch the " +
        "file yourself and pass its bytes.",
    );
  }
}
