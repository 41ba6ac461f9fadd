// Files that make_torch.py made, and what PyTorch says of them; small zip files and pickles by hand.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "../../../../src/formats/zip/crc32.ts";
import type { QParams } from "../../../../src/graph/value.ts";

const folder = join(import.meta.dirname, "../../../fixtures/torch");

export const fixture = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(join(folder, name)));

export interface Stored {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly base64: string;
  readonly quant?: {
    readonly scale: readonly number[];
    readonly zeroPoint: readonly number[];
    readonly axis?: number;
  };
}

export const expected = JSON.parse(readFileSync(join(folder, "expected.json"), "utf8")) as Record<
  string,
  { readonly state?: Record<string, Stored>; readonly input?: Stored; readonly output?: Stored }
>;

/** The bytes of a stored tensor. */
export const bytesOf = ({ base64 }: Stored): Uint8Array =>
  new Uint8Array(Buffer.from(base64, "base64"));

export const floatsOf = (stored: Stored): Float32Array =>
  new Float32Array(bytesOf(stored).slice().buffer);

/** Parameters in the form that fixtures have them. */
export const plainQuant = (quant: QParams | undefined): Stored["quant"] =>
  quant && {
    scale: Array.from(quant.scale),
    zeroPoint: Array.from(quant.zeroPoint),
    ...(quant.axis === undefined ? {} : { axis: quant.axis }),
  };

/** The message of what `run` throws. */
export async function messageOf(run: () => unknown): Promise<string> {
  try {
    await run();
  } catch (error) {
    return `${(error as Error).name}: ${(error as Error).message}`;
  }
  throw new Error("nothing was thrown");
}

export interface ZipPart {
  readonly name: string;
  readonly data: Uint8Array;
  readonly method?: number;
  /** What the directory states instead of the truth. */
  readonly size?: number;
  readonly crc?: number;
  readonly flags?: number;
}

/** A zip file; `data` goes in as it is. */
export function zipOf(parts: readonly ZipPart[]): Uint8Array {
  const chunks: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let at = 0;
  const put = (
    list: Uint8Array[],
    length: number,
    name: Uint8Array,
    fill: (v: DataView) => void,
  ) => {
    const bytes = new Uint8Array(length + name.length);
    fill(new DataView(bytes.buffer));
    bytes.set(name, length);
    list.push(bytes);
    return bytes.length;
  };
  for (const part of parts) {
    const { data, method = 0, size = data.length, crc = crc32(data), flags = 0 } = part;
    const name = new TextEncoder().encode(part.name);
    const header = at;
    const shared = (view: DataView, from: number) => {
      view.setUint16(from, flags, true);
      view.setUint16(from + 2, method, true);
      view.setUint32(from + 8, crc, true);
      view.setUint32(from + 12, data.length, true);
      view.setUint32(from + 16, size, true);
      view.setUint16(from + 20, name.length, true);
    };
    at += put(chunks, 30, name, (view) => {
      view.setUint32(0, 0x04034b50, true);
      shared(view, 6);
    });
    chunks.push(data);
    at += data.length;
    put(directory, 46, name, (view) => {
      view.setUint32(0, 0x02014b50, true);
      shared(view, 8);
      view.setUint32(42, header, true);
    });
  }
  const length = directory.reduce((sum, chunk) => sum + chunk.length, 0);
  const end: Uint8Array[] = [];
  put(end, 22, new Uint8Array(), (view) => {
    view.setUint32(0, 0x06054b50, true);
    view.setUint16(8, parts.length, true);
    view.setUint16(10, parts.length, true);
    view.setUint32(12, length, true);
    view.setUint32(16, at, true);
  });
  return Uint8Array.from(Buffer.concat([...chunks, ...directory, ...end]));
}

/** A pickle from bytes and text, as latin-1. */
export const pickleOf = (...parts: (string | number | readonly number[])[]): Uint8Array =>
  Uint8Array.from(
    parts.flatMap((part) =>
      typeof part === "string"
        ? [...Buffer.from(part, "latin1")]
        : typeof part === "number"
          ? [part]
          : [...part],
    ),
  );

/** A file of torch.save around a pickle, without tensors' data. */
export const saved = (pickle: Uint8Array): Uint8Array =>
  zipOf([{ name: "archive/data.pkl", data: pickle }]);
