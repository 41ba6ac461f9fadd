// WebP through libwebp. The container (RFC 9649, section 2) is read first, for the size, the limit
// and a clear word on animations. Lossy WebP has no checksum: flipped bits may decode to other pixels.

import { PictureError } from "../errors.ts";
import { runCodec } from "./codec.ts";
import { broken, checkSize, fromRgba, type Picture } from "./picture.ts";

const truncated = "it ends before its last byte";

/** Decode a WebP file; `decodePicture` tells the rules. */
export async function decodeWebp(bytes: Uint8Array, name: string): Promise<Picture> {
  checkContainer(bytes, name);
  const { decoded, messages } = await runCodec("WebP", bytes);
  if (decoded === null) {
    throw broken(name, "WebP", messages.at(-1) ?? "the decoder refused it");
  }
  return fromRgba(decoded.width, decoded.height, decoded.data);
}

/** "RIFF", size of the rest (4 bytes, little-endian), "WEBP", then chunks: type, size, payload. */
function checkContainer(bytes: Uint8Array, name: string): void {
  const file = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 30) throw broken(name, "WebP", truncated);
  if (text(bytes, 8) !== "WEBP") {
    throw new PictureError(
      name,
      `a RIFF file must hold WebP; got ${JSON.stringify(text(bytes, 8))}`,
      "Convert the picture, or leave the file out.",
    );
  }
  if (file.getUint32(4, true) + 8 > bytes.length) throw broken(name, "WebP", truncated);
  const type = text(bytes, 12);
  const payload = 20;
  if (type === "VP8X") {
    const animation = 0x02;
    if (((bytes[payload] ?? 0) & animation) !== 0) {
      throw new PictureError(name, "animated WebP has no single picture", "Save one frame of it.");
    }
    // 24-bit canvas width − 1 and height − 1, after four bytes of flags.
    const width = (file.getUint32(payload + 4, true) & 0xffffff) + 1;
    const height = (file.getUint32(payload + 6, true) >>> 8) + 1;
    checkSize(name, width, height);
  } else if (type === "VP8 ") {
    // Three bytes of frame tag, three of start code, then 14 bits each; two bits above are a scale.
    const width = file.getUint16(payload + 6, true) & 0x3fff;
    checkSize(name, width, file.getUint16(payload + 8, true) & 0x3fff);
  } else if (type === "VP8L") {
    const sizes = file.getUint32(payload + 1, true); // 14 bits of width − 1, 14 of height − 1
    checkSize(name, (sizes & 0x3fff) + 1, ((sizes >>> 14) & 0x3fff) + 1);
  } else {
    throw broken(name, "WebP", `unknown chunk ${JSON.stringify(type)}`);
  }
}

function text(bytes: Uint8Array, offset: number): string {
  return String.fromCharCode(...bytes.subarray(offset, offset + 4));
}
