// NumPy's files: every dtype as numpy.savez and numpy.savez_compressed write it, named lies, and mutations.

import { zlibSync } from "fflate";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { WebGpuQuantError } from "../../../src/errors.ts";
import { parseNpz } from "../../../src/formats/npz.ts";
import { crc32 } from "../../../src/formats/zip/crc32.ts";
import { formatNpy, parseNpy } from "../../../src/tensor/npy.ts";
import { float32 } from "../../../src/tensor/tensor.ts";
import { floats, longs, messageOf } from "./onnxModels.ts";
import { zipOf, type ZipPart } from "./torch/support.ts";

const file = (name: string) =>
  new Uint8Array(readFileSync(join(import.meta.dirname, "../../fixtures/npz", name)));
const deflated = (bytes: Uint8Array) => zlibSync(bytes).slice(2, -4);
const npz = (...parts: ZipPart[]) => zipOf(parts);

it.each(["stored.npz", "deflated.npz"])("%s gives the arrays that NumPy wrote", (name) => {
  const arrays = parseNpz(file(name));
  const plain = [...arrays].map(([key, { dtype, shape, data }]) => [
    key,
    dtype,
    shape,
    Array.from(data as ArrayLike<number | bigint>, Number).slice(0, 8),
  ]);
  const expected = [
    ["floats", "float32", [2, 3], [0, 0.25, 0.5, 0.75, 1, 1.25]],
    ["ids", "int64", [2, 2], [0, -1, 2 ** 40, 7]],
    ["words", "int32", [2], [-(2 ** 31), 5]],
    ["bytes", "int8", [2], [-128, 127]],
    ["octets", "uint8", [2], [0, 255]],
    ["flags", "bool", [3], [1, 0, 1]],
    ["scalar", "int64", [], [16000]],
    ["empty", "float32", [0, 4], []],
  ];
  const mask = ["mask", "int64", [64, 128], [1, 1, 1, 1, 1, 1, 1, 1]];
  expect(plain).toEqual(name === "stored.npz" ? expected : [...expected, mask]);
});

/** An .npy file whose header says `shape`. */
function withShape(shape: string, dataBytes = 0): Uint8Array {
  const header = `{'descr': '<f4', 'fortran_order': False, 'shape': (${shape}), }\n`;
  const prefix = [0x93, ...Buffer.from("NUMPY"), 1, 0, header.length & 255, header.length >> 8];
  return Uint8Array.from([...prefix, ...Buffer.from(header), ...new Uint8Array(dataBytes)]);
}

/** An .npy file of NumPy's other float types. */
function withFloats(description: "<f2" | "<f8", data: Uint16Array | Float64Array): Uint8Array {
  const header = `{'descr': '${description}', 'fortran_order': False, 'shape': (${data.length},), }\n`;
  const prefix = [0x93, ...Buffer.from("NUMPY"), 1, 0, header.length & 255, header.length >> 8];
  const body = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return Uint8Array.from([...prefix, ...Buffer.from(header), ...body]);
}

it("float64 is rounded to float32 as NumPy's astype does, float16 keeps its bits", () => {
  const doubles = Float64Array.of(0.1, -0, 1 + 2 ** -24, 1e-46, Infinity, NaN);
  expect(parseNpy(withFloats("<f8", doubles))).toEqual({
    dtype: "float32",
    shape: [6],
    data: Float32Array.of(Math.fround(0.1), -0, 1, 0, Infinity, NaN),
  });
  const halves = Uint16Array.of(0x3c00, 0xc000, 0x7bff);
  const half = parseNpy(withFloats("<f2", halves));
  expect(half).toEqual({ dtype: "float16", shape: [3], data: halves });
  expect(parseNpy(formatNpy(half))).toEqual(half);
  expect(messageOf(() => parseNpy(withFloats("<f8", Float64Array.of(1, -1e39))))).toBe(
    "InputError: npy: float64 is computed in float32 here, whose greatest value is 3.4e38; " +
      "got -1e+39 at index 1. Scale the data.",
  );
});

describe("files that lie are format errors", () => {
  const array = formatNpy(floats([2, 3]));
  it.each<[string, () => unknown, string]>([
    [
      "a truncated zip file",
      () => parseNpz(file("deflated.npz").subarray(0, 700)),
      "FormatError: npz: the zip directory is missing: the file is cut off. Write it with numpy.savez or numpy.savez_compressed.",
    ],
    [
      "an entry that is no array",
      () => parseNpz(npz({ name: "notes.txt", data: array })),
      'npz: every entry must be an .npy file; got "notes.txt".',
    ],
    [
      "an entry with a wrong checksum",
      () => parseNpz(npz({ name: "a.npy", data: array, crc: 1 })),
      'the checksum of "a.npy" does not fit its bytes',
    ],
    [
      "an array cut off inside a whole zip file",
      () => parseNpz(npz({ name: "a.npy", data: array.subarray(0, array.length - 4) })),
      'npz, array "a" at byte 128: shape (2, 3) needs 24 bytes; got 20.',
    ],
    [
      "an entry that states more than deflate can expand",
      () => parseNpz(npz({ name: "a.npy", data: deflated(array), method: 8, size: 2 ** 30 })),
      "1032 times is the limit",
    ],
    ["negative sizes", () => parseNpy(withShape("-2, -3", 24)), "the shape must be whole numbers"],
    ["a size in hexadecimal", () => parseNpy(withShape("0x1", 4)), "must be whole numbers"],
    ["a size of 2⁴⁰", () => parseNpy(withShape("1099511627776")), "must be whole numbers"],
    ["40 axes", () => parseNpy(withShape("1,".repeat(40), 4)), "must be whole numbers"],
    [
      "a product of sizes beyond 2⁵³",
      () => parseNpy(withShape("2147483647, 2147483647, 2147483647")),
      "bytes; got 0",
    ],
  ])("%s", (_, run, message) => expect(messageOf(run)).toContain(message));
});

it("zeros that inflate a thousand times end at the account, before the second array is inflated", () => {
  const array = formatNpy(float32([2 ** 22], new Float32Array(2 ** 22))); // 16 MiB
  const [packed, crc] = [deflated(array), crc32(array)];
  const parts = [0, 1].map((index) => ({
    name: `${index}.npy`,
    data: packed,
    method: 8,
    size: array.length,
    crc,
  }));
  expect(parseNpz(npz(...parts.slice(1))).get("1")?.shape).toEqual([2 ** 22]);
  expect(messageOf(() => parseNpz(npz(...parts)))).toMatchInlineSnapshot(
    `"FormatError: npz at byte 16539: entry "1.npy" asks for 16777344 bytes, more than the file's size explains. Write it with numpy.savez or numpy.savez_compressed."`,
  );
}, 60_000);

it("10,000 mutations end in arrays or a typed error, each within a second", () => {
  const seeds = [
    file("stored.npz"),
    file("deflated.npz"),
    npz({ name: "a.npy", data: formatNpy(longs(1, 2)) }),
  ];
  let state = 7;
  const random = (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const outcomes = { arrays: 0, typed: 0 };
  let slowest = 0;
  for (let round = 0; round < 10_000; round++) {
    const bytes = seeds[random(seeds.length)]!.slice();
    for (let flips = 1 + random(3); flips > 0; flips--) {
      const at = random(bytes.length);
      bytes[at] = round % 2 ? bytes[at]! ^ (1 << random(8)) : random(256);
    }
    const cut = round % 5 === 0 ? bytes.subarray(0, random(bytes.length)) : bytes;
    const start = process.cpuUsage(); // a machine that is busy elsewhere does not count
    try {
      parseNpz(cut);
      outcomes.arrays++;
    } catch (error) {
      if (!(error instanceof WebGpuQuantError))
        throw new Error(`round ${round}, seed 7`, { cause: error });
      outcomes.typed++;
    }
    const { user, system } = process.cpuUsage(start);
    slowest = Math.max(slowest, (user + system) / 1000);
  }
  console.log(`seed 7: ${JSON.stringify(outcomes)}, slowest ${slowest.toFixed(0)} ms`);
  expect(Math.min(outcomes.arrays, outcomes.typed)).toBeGreaterThan(50);
  expect(slowest).toBeLessThan(1000); // ms of CPU time
}, 60_000);
