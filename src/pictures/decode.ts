// Bytes to pixels. The format comes from the first bytes, never from the file's name.

import { PictureError } from "../errors.ts";
import { decodeJpeg } from "./jpeg.ts";
import type { Picture } from "./picture.ts";
import { decodePng } from "./png.ts";
import { decodeWebp } from "./webp.ts";

/**
 * Decode a JPEG, PNG or WebP file to 8-bit RGB, the same pixels in Node and in the browser.
 *
 * JPEG and WebP pixels equal those of Pillow (libjpeg-turbo, libwebp). Alpha is composited over
 * white. Grey becomes R = G = B; 16-bit PNG samples keep their high byte. As in Pillow, EXIF
 * orientation, gamma and colour profiles are not applied. Pictures over MAX_PIXELS are refused
 * before their pixels are allocated.
 *
 * @param bytes the whole file
 * @param name how errors call the picture
 * @throws PictureError where the file is empty, broken, truncated, too large, of an unknown format,
 *   animated WebP, or CMYK; InputError where the decoder itself cannot be loaded
 */
export async function decodePicture(bytes: Uint8Array, name: string): Promise<Picture> {
  if (bytes.length === 0) {
    throw new PictureError(name, "the file is empty", "Replace or remove the file.");
  }
  if (startsWith(bytes, [0xff, 0xd8])) return decodeJpeg(bytes, name);
  if (startsWith(bytes, [0x89, 0x50, 0x4e, 0x47])) return decodePng(bytes, name);
  if (startsWith(bytes, [0x52, 0x49, 0x46, 0x46])) return decodeWebp(bytes, name);
  const first = Array.from(bytes.subarray(0, 4), (byte) => byte.toString(16).padStart(2, "0"));
  throw new PictureError(
    name,
    `the format must be JPEG, PNG or WebP; got a file that starts with ${first.join(" ")}`,
    "Convert the picture, or leave the file out.",
  );
}

function startsWith(bytes: Uint8Array, magic: readonly number[]): boolean {
  return magic.every((byte, index) => bytes[index] === byte);
}
