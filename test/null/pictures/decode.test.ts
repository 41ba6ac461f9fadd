// Formats: every kind of file gives the expected pixels, and every bad file a PictureError with its
// name, never another error, made-up pixels or an endless loop.

import { expect, it } from "vitest";
import { PictureError } from "../../../src/errors.ts";
import { decodePicture, MAX_PIXELS } from "../../../src/pictures.ts";
import { fileOf, readable } from "./fixtures.ts";

const refusal = async (bytes: Uint8Array, name = "a"): Promise<string> => {
  const error: unknown = await decodePicture(bytes, name).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(PictureError);
  expect((error as PictureError).picture).toBe(name);
  return (error as PictureError).message;
};

/** A copy with `values` written at `at`. */
const patched = (bytes: Uint8Array, at: number, values: readonly number[]): Uint8Array => {
  const copy = bytes.slice();
  copy.set(values, at);
  return copy;
};

/** The offset of a two-byte JPEG marker. */
const markerAt = (bytes: Uint8Array, marker: number): number =>
  bytes.findIndex((byte, index) => byte === 0xff && bytes[index + 1] === marker);

it.each(readable)(
  "$name decodes to exactly the expected pixels",
  async ({ name, bytes, picture }) => {
    const decoded = await decodePicture(bytes, name);
    expect({ ...decoded, data: Array.from(decoded.data) }).toEqual({
      ...picture,
      data: Array.from(picture.data),
    });
  },
);

it("reads bytes that are a view into a larger buffer", async () => {
  for (const { name, bytes, picture } of readable) {
    const buffer = new Uint8Array(bytes.length + 7);
    buffer.set(bytes, 3);
    const decoded = await decodePicture(buffer.subarray(3, 3 + bytes.length), name);
    expect(decoded.data).toEqual(picture.data);
  }
});

it("decodes many pictures at once without mixing them up", async () => {
  const names = [...readable, ...readable, ...readable];
  const decoded = await Promise.all(
    names.map(({ name, bytes }) => decodePicture(bytes, name).then(({ data }) => data)),
  );
  expect(decoded).toEqual(names.map(({ picture }) => picture.data));
});

it.each([
  [
    "cmyk.jpg",
    'picture "cmyk.jpg": a JPEG must be grey or RGB, 1 or 3 components; got 4 (CMYK). Convert it to RGB.',
  ],
  [
    "animated.webp",
    'picture "animated.webp": animated WebP has no single picture. Save one frame of it.',
  ],
  [
    "picture.gif",
    'picture "picture.gif": the format must be JPEG, PNG or WebP; got a file that starts with 47 49 46 38. Convert the picture, or leave the file out.',
  ],
])("%s is refused with the reason", async (name, message) => {
  expect(await refusal(fileOf(name), name)).toBe(message);
});

it("an empty file is refused with the reason", async () => {
  expect(await refusal(new Uint8Array(0))).toBe(
    'picture "a": the file is empty. Replace or remove the file.',
  );
});

it.each(readable)("$name is refused at every length that cuts it", async ({ name, bytes }) => {
  for (let length = 0; length < bytes.length; length++) {
    expect(await refusal(bytes.subarray(0, length), name)).toMatch(
      /empty|broken|must be JPEG, PNG or WebP/,
    );
  }
});

it("a truncated JPEG says that it is truncated", async () => {
  const bytes = fileOf("420.jpg");
  expect(await refusal(bytes.subarray(0, bytes.length - 2))).toBe(
    'picture "a": broken JPEG file: it ends before its end-of-image marker. Replace or remove the file.',
  );
});

it("a JPEG whose middle is missing is refused although its end is there", async () => {
  const bytes = fileOf("420.jpg");
  const scan = markerAt(bytes, 0xda) + 14; // the scan header is 2 + 12 bytes
  const cut = Uint8Array.from([...bytes.subarray(0, scan + 10), ...bytes.subarray(-2)]);
  expect(await refusal(cut)).toBe(
    'picture "a": broken JPEG file: Corrupt JPEG data: premature end of data segment. Replace or remove the file.',
  );
});

it("bytes between the last block and the end of a JPEG do no harm", async () => {
  const bytes = fileOf("grey.jpg");
  const padded = Uint8Array.from([...bytes.subarray(0, -2), 1, 2, 3, 4, 5, 6, 7, 8, 0xff, 0xd9]);
  const expected = await decodePicture(bytes, "grey.jpg");
  expect((await decodePicture(padded, "padded")).data).toEqual(expected.data);
});

it("the JPEG decoder still works after it gave up 150 times", async () => {
  // Its exit() does not unwind its stack: one instance ran out of it after 98 times.
  const bytes = fileOf("420.jpg");
  const noTable = patched(bytes, markerAt(bytes, 0xc0) + 12, [9]); // quantization table of Y
  for (let round = 0; round < 150; round++) {
    expect(await refusal(noTable)).toBe(
      'picture "a": broken JPEG file: Quantization table 0x09 was not defined. Replace or remove the file.',
    );
  }
  const { picture } = readable.find(({ name }) => name === "420.jpg")!;
  expect((await decodePicture(bytes, "420.jpg")).data).toEqual(picture.data);
});

it("JPEG frames that the decoder cannot read are refused before it runs", async () => {
  const bytes = fileOf("420.jpg");
  const frame = markerAt(bytes, 0xc0);
  expect(await refusal(patched(bytes, frame + 1, [0xc3]))).toBe(
    'picture "a": a JPEG must be baseline or progressive with Huffman coding and 8 bits; got frame type 3, 8 bits. Save it again as an ordinary 8-bit JPEG.',
  );
  expect(await refusal(patched(bytes, frame + 4, [12]))).toContain("got frame type 0, 12 bits");
});

it("pictures over the limit are refused from the header alone, in every format", async () => {
  const jpeg = fileOf("420.jpg");
  const tooLarge = (width: number, height: number): string =>
    `picture "a": a picture may have at most ${MAX_PIXELS} pixels; got ${width}×${height}. Scale it down first.`;
  const size = markerAt(jpeg, 0xc0) + 5; // height, then width, 16 bits each
  expect(await refusal(patched(jpeg, size, [0x20, 0, 0x20, 1]))).toBe(tooLarge(8193, 8192));
  expect(await refusal(patched(jpeg, size, [0, 0]))).toContain("at least 1 px; got 13×0");

  const lossy = patched(fileOf("lossy.webp"), 26, [0xff, 0x3f, 0xff, 0x3f]);
  expect(await refusal(lossy)).toBe(tooLarge(16383, 16383));
  const lossless = patched(fileOf("lossless.webp"), 21, [0xff, 0xff, 0xff, 0x0f]);
  expect(await refusal(lossless)).toBe(tooLarge(16384, 16384));
  const extended = patched(fileOf("alpha-lossy.webp"), 24, [0xff, 0xff, 0, 0xff, 0xff, 0]);
  expect(await refusal(extended)).toBe(tooLarge(65536, 65536));

  expect(await refusal(withHeader(fileOf("rgb.png"), [0, 0, 0x20, 1, 0, 0, 0x20, 0]))).toBe(
    tooLarge(8193, 8192),
  );
  // 8192 × 8192 is within the limit: then the pixels are missing.
  expect(await refusal(withHeader(fileOf("rgb.png"), [0, 0, 0x20, 0, 0, 0, 0x20, 0]))).toBe(
    'picture "a": broken PNG file: less image data than pixels. Replace or remove the file.',
  );
});

it("a JPEG's scans are counted against its pixels before the decoder sees it", async () => {
  const bytes = fileOf("420.jpg");
  const size = markerAt(bytes, 0xc0) + 5; // height, then width, 16 bits each
  const scan = markerAt(bytes, 0xda);
  const scans = (count: number, [height, width]: readonly [number, number]): Uint8Array => {
    const parts = Array.from({ length: count }, () => bytes.subarray(scan, -2));
    const head = patched(bytes, size, [height >> 8, height & 255, width >> 8, width & 255]);
    return Uint8Array.from([...head.subarray(0, scan), ...parts.flatMap((part) => [...part])]);
  };
  const tooMany = (most: number, at: string): string =>
    `picture "a": a JPEG of ${at} may have at most ${most} scans; got more. Save it again as a baseline JPEG.`;
  // The walk goes past the allowed number of scans, and then misses the end marker.
  const walked = /it ends before its end-of-image marker/;
  expect(await refusal(scans(16, [8192, 8192]))).toMatch(walked);
  expect(await refusal(scans(17, [8192, 8192]))).toBe(tooMany(16, "8192×8192"));
  expect(await refusal(scans(64, [4096, 4096]))).toMatch(walked);
  expect(await refusal(scans(65, [4096, 4096]))).toBe(tooMany(64, "4096×4096"));
  expect(await refusal(scans(500, [10, 13]))).toMatch(walked);
  expect(await refusal(scans(501, [10, 13]))).toBe(tooMany(500, "13×10"));
});

it("a PNG with more data than its header says is refused", async () => {
  expect(await refusal(withHeader(fileOf("rgb.png"), [0, 0, 0, 13, 0, 0, 0, 10]))).toBe(
    'picture "a": broken PNG file: more image data than pixels. Replace or remove the file.',
  );
});

it("a PNG says which chunk has a wrong checksum", async () => {
  const bytes = fileOf("rgb.png");
  expect(await refusal(patched(bytes, 50, [bytes[50]! ^ 1]))).toBe(
    'picture "a": broken PNG file: wrong checksum of chunk "IDAT" at byte 33. Replace or remove the file.',
  );
});

const MUTATIONS = 400;
const SEED = 20260;

it(`${MUTATIONS} mutations (seed ${SEED}) give pixels or a PictureError, and whole files still decode`, async () => {
  const next = random(SEED);
  let refused = 0;
  for (let round = 0; round < MUTATIONS; round++) {
    const { name, bytes } = readable[round % readable.length]!;
    let mutated: Uint8Array = bytes.slice(0, next(3) === 0 ? next(bytes.length) : bytes.length);
    for (let flips = 1 + next(4); flips > 0; flips--) {
      const at = next(mutated.length);
      mutated[at] = (mutated[at] ?? 0) ^ (1 << next(8));
    }
    if (name.endsWith(".png") && next(2) === 0) mutated = withChecksums(mutated);
    try {
      const { width, height, data } = await decodePicture(mutated, name);
      expect(data.length, `${name}, round ${round}`).toBe(width * height * 3);
    } catch (error) {
      expect(error, `${name}, round ${round}: ${String(error)}`).toBeInstanceOf(PictureError);
      refused++;
    }
  }
  expect(refused).toBeGreaterThan(MUTATIONS / 4); // else the mutations hit nothing that matters
  for (const { name, bytes, picture } of readable) {
    expect((await decodePicture(bytes, name)).data, name).toEqual(picture.data);
  }
}, 60_000);

/** Numerical Recipes' linear congruential generator; next(n) is in 0 … n − 1, 0 for n = 0. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** A PNG with other first bytes of IHDR and right checksums. */
function withHeader(png: Uint8Array, values: readonly number[]): Uint8Array {
  return withChecksums(patched(png, 16, values));
}

/** A PNG with the checksum of every chunk set right, as far as the chunks can be followed. */
function withChecksums(png: Uint8Array): Uint8Array {
  const copy = png.slice();
  const view = new DataView(copy.buffer);
  for (let at = 8; at + 12 <= copy.length;) {
    const end = at + 8 + view.getUint32(at);
    if (end + 4 > copy.length) break;
    let crc = 0xffffffff;
    for (const byte of copy.subarray(at + 4, end)) {
      crc ^= byte;
      for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
    }
    view.setUint32(end, ~crc >>> 0);
    at = end + 4;
  }
  return copy;
}
