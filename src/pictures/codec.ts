// Runs the WebAssembly decoders of @jsquash (mozjpeg, which is libjpeg-turbo; libwebp), loaded on first use.
//
// The WebAssembly is embedded as base64 in a chunk of its own. A file beside the code would have to be found
// at run time, and dev servers that bundle dependencies ahead (Vite 5 to 7) move the code away from it.
//
// An instance that threw is never used again: a codec that calls exit() unwinds through JavaScript and leaves
// its stack pointer and its heap as they were at the throw.

import { InputError } from "../errors.ts";

/** What a decoder answers: RGBA, (height, width, 4). */
export interface Decoded {
  readonly width: number; // px
  readonly height: number; // px
  readonly data: Uint8ClampedArray;
}

interface Instance {
  /** null where the codec cannot read the bytes. */
  decode(bytes: Uint8Array, ...more: readonly boolean[]): Decoded | null;
}

interface Options {
  noInitialRun: boolean;
  print(line: string): void;
  printErr(line: string): void;
  wasmBinary: Uint8Array;
}

type Factory = (options: Options) => Promise<Instance>;

/** What one decode gave: the pixels, or null, and the lines that the codec printed. */
export interface Outcome {
  readonly decoded: Decoded | null;
  readonly messages: readonly string[];
}

/** An instance keeps its memory: after pictures larger than this many pixels it is dropped. */
const KEEP_PIXELS = 4 * 1024 * 1024;

const codecs = {
  JPEG: {
    package: "@jsquash/jpeg",
    wasm: () => import("@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm?url&inline"),
    factory: () => import("@jsquash/jpeg/codec/dec/mozjpeg_dec.js"),
    more: [false], // apply the EXIF orientation
  },
  WebP: {
    package: "@jsquash/webp",
    wasm: () => import("@jsquash/webp/codec/dec/webp_dec.wasm?url&inline"),
    factory: () => import("@jsquash/webp/codec/dec/webp_dec.js"),
    more: [],
  },
};

export type CodecName = keyof typeof codecs;

interface Loaded {
  readonly instance: Instance;
  readonly messages: string[]; // of the decode that is running
}

const loaded: { [name in CodecName]?: Promise<Loaded> } = {};

/**
 * Decode with a codec. Where the codec gives up, `decoded` is null and `messages` says why.
 * Throws InputError where the codec cannot be loaded.
 */
export async function runCodec(name: CodecName, bytes: Uint8Array): Promise<Outcome> {
  const { instance, messages } = await (loaded[name] ??= load(name));
  // From here to the return nothing awaits: concurrent decodes cannot mix their messages.
  messages.length = 0;
  let decoded: Decoded | null = null;
  try {
    decoded = instance.decode(bytes, ...codecs[name].more);
  } catch (error) {
    delete loaded[name];
    // Emscripten's exit() throws an ExitStatus, no Error, after the codec printed its reason. A trap
    // or abort() is a RuntimeError. Anything else is not the picture's fault.
    if (error instanceof WebAssembly.RuntimeError) messages.push(error.message);
    else if (error instanceof Error) throw error;
  }
  if (decoded !== null && decoded.width * decoded.height > KEEP_PIXELS) delete loaded[name];
  return { decoded, messages: [...messages] };
}

async function load(name: CodecName): Promise<Loaded> {
  const codec = codecs[name];
  const messages: string[] = [];
  const print = (line: string): void => void messages.push(line);
  try {
    // The package's own types name a global namespace that it does not declare.
    const factory = (await codec.factory()).default as unknown as Factory;
    const wasmBinary = bytesOf((await codec.wasm()).default);
    const instance = await factory({ noInitialRun: true, print, printErr: print, wasmBinary });
    return { instance, messages };
  } catch (error) {
    delete loaded[name];
    throw new InputError(
      `pictures: the ${name} decoder could not be loaded; got ${JSON.stringify(String(error))}. ` +
        `Install ${codec.package}, and allow 'wasm-unsafe-eval' in the page's content security policy.`,
      { cause: error },
    );
  }
}

/** The bytes behind a base64 data URL. */
function bytesOf(dataUrl: string): Uint8Array {
  const text = atob(dataUrl.slice(dataUrl.indexOf(",") + 1));
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
