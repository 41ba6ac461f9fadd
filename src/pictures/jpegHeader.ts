// Walks a JPEG's markers (ITU-T T.81, B.1) before a decoder sees the file, and tells whether the file is
// whole, how large the picture is, and whether the decoder can read it in reasonable time. Decoders paint
// what is missing grey and call it a success.

import { PictureError } from "../errors.ts";
import { broken, checkSize, MAX_PIXELS } from "./picture.ts";

/** Width and height in px. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** Progressive files have about ten scans; thousands of them are an attack on the decoder's time. */
export const MAX_SCANS = 500;

/** The decoder's work, in pixels × scans: it visits every pixel's coefficients in every scan, also where a scan
 *  holds next to nothing. Sixteen scans of the largest picture. */
export const MAX_SCANNED_PIXELS = 16 * MAX_PIXELS;

const SOI = 0xd8; // start of image
const EOI = 0xd9; // end of image
const SOS = 0xda; // start of scan
const RST0 = 0xd0; // restart markers RST0 … RST7 stand inside a scan's data
const RST7 = 0xd7;
const TEM = 0x01;

const truncated = "it ends before its end-of-image marker";

/**
 * Reads the size of a JPEG, where the file is complete and of a kind that the decoder reads.
 * @param bytes the whole file
 * @param name how errors call the picture
 * @returns width and height in px, at most MAX_PIXELS in all
 * @throws PictureError where a marker is missing or wrong, for CMYK, lossless and 12-bit files, and for more
 *   than MAX_SCANS scans or MAX_SCANNED_PIXELS
 */
export function readJpegHeader(bytes: Uint8Array, name: string): Size {
  let size: Size | undefined;
  let scans = 0;
  let at = 2; // after SOI
  for (;;) {
    if (bytes[at] !== 0xff) {
      const problem = at >= bytes.length ? truncated : `no marker at byte ${at}`;
      throw broken(name, "JPEG", problem);
    }
    while (bytes[at] === 0xff) at++; // fill bytes
    const marker = bytes[at++];
    if (marker === undefined) throw broken(name, "JPEG", truncated);
    if (marker === EOI) break;
    if (marker === TEM || (marker >= RST0 && marker <= RST7)) continue;
    if (marker === 0 || marker === SOI) throw broken(name, "JPEG", `no marker at byte ${at - 2}`);
    const length = (bytes[at] ?? 0) * 256 + (bytes[at + 1] ?? 0); // counts itself
    if (at + Math.max(length, 2) > bytes.length) throw broken(name, "JPEG", truncated);
    if (length < 2) throw broken(name, "JPEG", `segment of length ${length} at byte ${at}`);
    if (isFrame(marker)) {
      if (size) throw broken(name, "JPEG", "two frame headers");
      size = readFrame(marker, bytes.subarray(at + 2, at + length), name);
      checkSize(name, size.width, size.height);
    }
    at += length;
    if (marker === SOS) {
      if (!size) throw broken(name, "JPEG", "a scan before the frame header");
      checkScans(++scans, size, name);
      at = skipScan(bytes, at);
    }
  }
  if (!size || scans === 0) throw broken(name, "JPEG", "it holds no picture");
  return size;
}

function checkScans(scans: number, { width, height }: Size, name: string): void {
  const most = Math.min(MAX_SCANS, Math.floor(MAX_SCANNED_PIXELS / (width * height)));
  if (scans <= most) return;
  throw new PictureError(
    name,
    `a JPEG of ${width}×${height} may have at most ${most} scans; got more`,
    "Save it again as a baseline JPEG.",
  );
}

/** SOF0 … SOF15; 0xc4, 0xc8 and 0xcc are tables and a reserved marker. */
function isFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
}

/** Frame header: precision (1 byte), height (2), width (2), number of components (1), … */
function readFrame(marker: number, frame: Uint8Array, name: string): Size {
  if (frame.length < 6) throw broken(name, "JPEG", "a short frame header");
  const [precision = 0, h1 = 0, h0 = 0, w1 = 0, w0 = 0, components = 0] = frame;
  // SOF0, 1, 2 are baseline, extended and progressive DCT. The others: lossless, hierarchical,
  // and arithmetic coding, which the decoder is built without.
  if (marker > 0xc2 || precision !== 8) {
    throw new PictureError(
      name,
      "a JPEG must be baseline or progressive with Huffman coding and 8 bits; got " +
        `frame type ${marker - 0xc0}, ${precision} bits`,
      "Save it again as an ordinary 8-bit JPEG.",
    );
  }
  if (components !== 1 && components !== 3) {
    const kind = components === 4 ? "4 (CMYK)" : `${components}`;
    throw new PictureError(
      name,
      `a JPEG must be grey or RGB, 1 or 3 components; got ${kind}`,
      "Convert it to RGB.",
    );
  }
  return { width: w1 * 256 + w0, height: h1 * 256 + h0 };
}

/** The offset of the first marker after a scan's data, or the end of the file. */
function skipScan(bytes: Uint8Array, start: number): number {
  let at = start;
  for (;;) {
    at = bytes.indexOf(0xff, at);
    if (at < 0) return bytes.length;
    const next = bytes[at + 1];
    if (next === 0xff) at += 1;
    else if (next === 0 || (next !== undefined && next >= RST0 && next <= RST7)) at += 2;
    else return at;
  }
}
