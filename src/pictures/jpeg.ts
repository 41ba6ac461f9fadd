// JPEG through mozjpeg's decoder, which is libjpeg-turbo: same inverse DCT, same chroma upsampling,
// hence the same pixels as Pillow. One idea: a warning of the decoder is an error here, since what
// follows the damage would be made-up pixels.

import { runCodec } from "./codec.ts";
import { readJpegHeader } from "./jpegHeader.ts";
import { broken, fromRgba, type Picture } from "./picture.ts";

// Bytes between the last block and the end-of-image marker: every pixel was decoded before them.
// libjpeg prints its first warning only, so nothing worse was before.
const HARMLESS = /^Corrupt JPEG data: \d+ extraneous bytes before marker 0xd9$/;

/** Decode a JPEG file; `decodePicture` tells the rules. */
export async function decodeJpeg(bytes: Uint8Array, name: string): Promise<Picture> {
  readJpegHeader(bytes, name);
  const { decoded, messages } = await runCodec("JPEG", bytes);
  const problem = messages.findLast((message) => !HARMLESS.test(message));
  if (decoded === null || problem !== undefined) {
    throw broken(name, "JPEG", problem ?? "the decoder refused it");
  }
  return fromRgba(decoded.width, decoded.height, decoded.data);
}
