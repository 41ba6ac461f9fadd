// PNG (W3C PNG, third edition) with the platform's own inflate, in Node and in the browser. Own code
// because PNG is small and exact, and because the libraries at hand inflate without a bound, misread
// interlaced pictures below 8 bits, or cannot say what is wrong with a file.
// One idea: the header says how many bytes the pixels take, so nothing larger is ever inflated.

import { broken, checkSize, type Picture } from "./picture.ts";
import { layoutOf, toPixels, type PngHeader } from "./pngPixels.ts";

interface Chunks {
  readonly header: PngHeader;
  readonly compressed: Uint8Array<ArrayBuffer>; // the IDAT chunks, joined
}

const signature = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const truncated = "it ends before its IEND chunk";
const tooLittle = "less image data than pixels";

/** No deflate stream grows by more than this factor (258 bytes from two bits, zlib's FAQ). */
const MAX_RATIO = 1032;
const allowedDepths: Readonly<Record<number, readonly number[]>> = {
  0: [1, 2, 4, 8, 16], // grey
  2: [8, 16], // RGB
  3: [1, 2, 4, 8], // palette
  4: [8, 16], // grey and alpha
  6: [8, 16], // RGBA
};

/** Decode a PNG file; `decodePicture` tells the rules. */
export async function decodePng(bytes: Uint8Array, name: string): Promise<Picture> {
  const { header, compressed } = readChunks(bytes, name);
  const passes = layoutOf(header);
  const size = passes.reduce((sum, pass) => sum + pass.height * (1 + pass.rowBytes), 0);
  return toPixels(await inflate(compressed, size, name), header, passes, name);
}

/** A chunk is its length (4 bytes, big-endian), type (4), data, and the CRC of type and data (4). */
function readChunks(bytes: Uint8Array, name: string): Chunks {
  if (signature.some((byte, index) => bytes[index] !== byte)) {
    throw broken(name, "PNG", "wrong signature");
  }
  const file = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const parts: Uint8Array[] = [];
  let header: PngHeader | undefined;
  let palette: Uint8Array | undefined;
  let transparency: Uint8Array | undefined;
  for (let at = signature.length; ;) {
    if (at + 12 > bytes.length) throw broken(name, "PNG", truncated);
    const length = file.getUint32(at);
    if (at + 12 + length > bytes.length) throw broken(name, "PNG", truncated);
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    const data = bytes.subarray(at + 8, at + 8 + length);
    if (crc32(bytes.subarray(at + 4, at + 8 + length)) !== file.getUint32(at + 8 + length)) {
      throw broken(name, "PNG", `wrong checksum of chunk ${JSON.stringify(type)} at byte ${at}`);
    }
    at += 12 + length;
    if (!header && type !== "IHDR") throw broken(name, "PNG", "the first chunk must be IHDR");
    if (type === "IHDR") header = readHeader(data, name);
    else if (type === "PLTE") palette = data;
    else if (type === "tRNS") transparency = data;
    else if (type === "IDAT") parts.push(data);
    else if (type === "IEND") break;
    else if (/^[A-Z]/.test(type)) throw broken(name, "PNG", `unknown critical chunk ${type}`);
  }
  if (!header) throw broken(name, "PNG", "no IHDR chunk");
  if (header.colorType === 3 && !palette?.length) throw broken(name, "PNG", "no palette");
  const compressed = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    compressed.set(part, at);
    at += part.length;
  }
  return {
    header: { ...header, ...(palette && { palette }), ...(transparency && { transparency }) },
    compressed,
  };
}

/** Width (4 bytes), height (4), bit depth, color type, compression, filter method, interlace. */
function readHeader(data: Uint8Array, name: string): PngHeader {
  if (data.length !== 13) throw broken(name, "PNG", `IHDR of ${data.length} bytes, not 13`);
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const [width, height] = [view.getUint32(0), view.getUint32(4)];
  const [depth = 0, colorType = 0, compression, filter, interlace = 0] = data.subarray(8);
  checkSize(name, width, height);
  if (!allowedDepths[colorType]?.includes(depth)) {
    throw broken(name, "PNG", `color type ${colorType} with ${depth} bits`);
  }
  if (compression !== 0 || filter !== 0 || interlace > 1) {
    throw broken(name, "PNG", `methods ${compression}, ${filter}, ${interlace} are unknown`);
  }
  return { width, height, depth, colorType, interlaced: interlace === 1 };
}

/** zlib data that must inflate to exactly `size` bytes. */
async function inflate(
  compressed: Uint8Array<ArrayBuffer>,
  size: number,
  name: string,
): Promise<Uint8Array> {
  if (compressed.length * MAX_RATIO < size) throw broken(name, "PNG", tooLittle);
  const out = new Uint8Array(size);
  let at = 0;
  const source = new Blob([compressed]).stream();
  const reader = source.pipeThrough(new DecompressionStream("deflate")).getReader();
  try {
    for (;;) {
      // Bad data is a TypeError in browsers and a zlib error in Node.
      const { done, value } = await reader.read().catch(() => {
        throw broken(name, "PNG", "bad compressed data");
      });
      if (done) break;
      if (at + value.length > size) throw broken(name, "PNG", "more image data than pixels");
      out.set(value, at);
      at += value.length;
    }
  } finally {
    await reader.cancel().catch(() => undefined); // after a failed read: the same failure again
  }
  if (at < size) throw broken(name, "PNG", tooLittle);
  return out;
}

// CRC-32 of PNG, annex D: polynomial 0xedb88320, reflected.
const crcTable = Uint32Array.from({ length: 256 }, (_, index) => {
  let crc = index;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? 0xedb88320 ^ (crc >>> 1) : crc >>> 1;
  return crc;
});

function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (crcTable[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}
