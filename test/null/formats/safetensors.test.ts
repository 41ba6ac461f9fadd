// safetensors: what is written is read back, views stay views, and a file that lies is refused with the
// byte at fault. Rules: one place per byte, one meaning per name.

import { describe, expect, it } from "vitest";
import { FormatError, WebGpuQuantError } from "../../../src/errors.ts";
import {
  countNonFinite,
  readSafetensors,
  stateDictOfTensors,
  tensorsOfStateDict,
  writeSafetensors,
} from "../../../src/formats/safetensors/index.ts";
import type { StateEntry } from "../../../src/formats/torch/stateDict.ts";
import { float32, tensor, type Tensor } from "../../../src/tensor/tensor.ts";

/** A file with `header` as it stands, and `data` zero bytes. */
function file(header: string, data = 0, length = new TextEncoder().encode(header).length) {
  const text = new TextEncoder().encode(header);
  const bytes = new Uint8Array(8 + text.length + data);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true);
  bytes.set(text, 8);
  return bytes;
}

function messageOf(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    if (error instanceof FormatError) return error.message;
    throw error;
  }
  return "no error";
}

const entry = (shape: string, begin: number, end: number, dtype = "F32") =>
  `{"dtype":"${dtype}","shape":${shape},"data_offsets":[${begin},${end}]}`;

const sample = new Map<string, Tensor>([
  ["bytes", tensor("int8", [3], Int8Array.of(-128, 0, 127))],
  ["weights", float32([2, 2], [1, -2, 3.5, NaN])],
  ["ids", tensor("int64", [1], BigInt64Array.of(-(2n ** 40n)))],
  ["none", float32([0, 4], [])],
  ["__proto__", tensor("bool", [], Uint8Array.of(1))],
  ['ünï"code', tensor("int32", [2], Int32Array.of(-1, 2 ** 31 - 1))],
]);

describe("round trip", () => {
  it("every dtype and odd name comes back with the same elements", () => {
    const metadata = new Map([["__proto__", 'text with "quotes"']]);
    const read = readSafetensors(writeSafetensors(sample, metadata));
    expect(new Map([...read.tensors].sort())).toEqual(new Map([...sample].sort()));
    expect(read.metadata).toEqual(metadata);
  });

  it("every tensor of a written file is a view on the file", () => {
    const bytes = writeSafetensors(sample);
    for (const { data } of readSafetensors(bytes).tensors.values()) {
      expect(data.buffer).toBe(bytes.buffer);
    }
  });

  it("an unaligned file gives the same elements", () => {
    const bytes = writeSafetensors(sample);
    const moved = new Uint8Array(bytes.length + 3);
    moved.set(bytes, 3);
    const read = readSafetensors(moved.subarray(3));
    expect(new Map([...read.tensors].sort())).toEqual(new Map([...sample].sort()));
  });

  it.each<[string, number[], Tensor]>([
    ["F16", [0x00, 0xc1], float32([1], [-2.5])],
    ["BF16", [0x20, 0xc0], float32([1], [-2.5])],
    ["F64", [0, 0, 0, 0, 0, 0, 4, 0xc0], float32([1], [-2.5])],
    ["I16", [0xfe, 0xff], tensor("int32", [1], Int32Array.of(-2))],
    ["U16", [0xfe, 0xff], tensor("int32", [1], Int32Array.of(65534))],
  ])("%s is widened", (dtype, bytes, expected) => {
    const header = `{"x":${entry("[1]", 0, bytes.length, dtype)}}`;
    const whole = Uint8Array.from([...file(header), ...bytes]);
    expect(readSafetensors(whole).tensors.get("x")).toEqual(expected);
  });

  it("a quantized state dict comes back whole: per tensor, per axis, with a narrow range", () => {
    const weight = tensor("int8", [2, 3], Int8Array.of(1, 2, 3, -4, -5, -6));
    const scalar = { scale: Float32Array.of(0.1), zeroPoint: Int32Array.of(7) };
    const state = new Map<string, StateEntry>([
      ["conv.weight", { tensor: weight, quant: { dtype: "int8", ...scalar } }],
      ["conv.scale", { tensor: float32([], [0.25]) }],
      ["conv.zero_point", { tensor: tensor("int64", [], BigInt64Array.of(3n)) }],
      [
        "fc.weight",
        {
          tensor: weight,
          quant: {
            dtype: "int8",
            scale: Float32Array.of(0.5, 0.25),
            zeroPoint: Int32Array.of(0, 0),
            axis: 0,
            qmin: -64,
            qmax: 63,
          },
        },
      ],
      ["fc.bias", { tensor: float32([2], [1, 2]) }],
    ]);
    const bytes = writeSafetensors(tensorsOfStateDict(state));
    const read = stateDictOfTensors(readSafetensors(bytes).tensors);
    expect(new Map([...read].sort())).toEqual(new Map([...state].sort()));
  });

  it("counts NaN and infinities when asked", () => {
    const tensors = new Map<string, Tensor>([
      ["good", float32([2], [1, -0])],
      ["bad", float32([4], [0, NaN, -Infinity, NaN])],
    ]);
    const read = readSafetensors(writeSafetensors(tensors));
    expect(countNonFinite(read.tensors)).toEqual(
      new Map([["bad", { nan: 2, infinite: 1, first: 1 }]]),
    );
  });
});

describe("named hostile files", () => {
  const two = (a: string, b: string) => `{"a":${a},"b":${b}}`;
  it.each<[string, Uint8Array, string]>([
    ["an empty file", new Uint8Array(), "10 bytes or more; got 0"],
    ["a header past the end", file("{}", 0, 3), "at most 2 bytes; its length says 3"],
    ["a header of 2^63 bytes", file("{}", 0, 2 ** 63), "its length says 9223372036854775808"],
    ["a header above the cap", file("{" + " ".repeat(100) + "}"), "at most 64 bytes"],
    ["text that is no JSON", file("<html></html>"), 'must begin with "{"'],
    ["a header that is not UTF-8", file("{}").fill(0xff, 9), "must be UTF-8"],
    ["a cut header", file('{"a":'), 'must have "{"; got its end'],
    ["bytes after the object", file("{} x"), "nothing after its object"],
    [
      "a name given twice",
      file(`{"a":${entry("[]", 0, 4)},"a":${entry("[]", 4, 8)}}`, 8),
      'the key "a" is given twice',
    ],
    [
      "a name given twice, once escaped",
      file(`{"a":${entry("[]", 0, 4)},"\\u0061":${entry("[]", 4, 8)}}`, 8),
      'the key "a" is given twice',
    ],
    [
      "a field given twice",
      file('{"a":{"dtype":"F32","dtype":"I8","shape":[],"data_offsets":[0,4]}}', 4),
      'the key "dtype" is given twice',
    ],
    ["a missing field", file('{"a":{"dtype":"F32","shape":[]}}'), "must have dtype, shape and two"],
    ["an unknown field", file('{"a":{"x":1}}'), "dtype, shape and data_offsets alone"],
    ["an unknown dtype", file(`{"a":${entry("[1]", 0, 1, "F8_E4M3")}}`, 1), 'got "F8_E4M3"'],
    ["a negative size", file(`{"a":${entry("[-1]", 0, 4)}}`, 4), "a number from 0"],
    ["a fraction", file(`{"a":${entry("[1.5]", 0, 4)}}`, 4), 'must have "]"'],
    ["a size with a leading zero", file(`{"a":${entry("[01]", 0, 4)}}`, 4), "a number from 0"],
    ["a size of 2^31", file(`{"a":${entry("[2147483648,0]", 0, 0)}}`), "a size must be 0 …"],
    [
      "a product that wraps to 0",
      file(`{"a":${entry("[65536,65536,65536,65536]", 0, 0)}}`),
      "must have 73786976294838206464 bytes; got 0",
    ],
    ["33 axes", file(`{"a":${entry(`[${"1,".repeat(32)}1]`, 0, 4)}}`, 4), "at most 32 numbers"],
    ["bytes past the end", file(`{"a":${entry("[2]", 0, 8)}}`, 4), "must lie in the 4 data bytes"],
    ["offsets backwards", file(`{"a":${entry("[1]", 4, 0)}}`, 4), "got data_offsets [4, 0]"],
    ["too few bytes", file(`{"a":${entry("[2]", 0, 4)}}`, 4), "must have 8 bytes; got 4"],
    ["a hole", file(two(entry("[1]", 0, 4), entry("[1]", 8, 12)), 12), "must begin at data byte 4"],
    [
      "an overlap",
      file(two(entry("[2]", 0, 8), entry("[1]", 4, 8)), 8),
      "must begin at data byte 8",
    ],
    [
      "two names for one byte",
      file(two(entry("[1]", 0, 4), entry("[1]", 0, 4)), 4),
      "at data byte 4",
    ],
    [
      "an empty tensor in another's middle",
      file(two(entry("[2]", 0, 8), entry("[0]", 4, 4)), 8),
      "got 4",
    ],
    ["bytes of no tensor", file(`{"a":${entry("[1]", 0, 4)}}`, 8), "they end at 4"],
    ["metadata that is no text", file('{"__metadata__":{"a":1}}'), "a string"],
  ])("%s", (name, bytes, expected) => {
    const limits = name === "a header above the cap" ? { headerBytes: 64 } : {};
    expect(messageOf(() => readSafetensors(bytes, { limits }))).toContain(expected);
  });

  it("the message says where, what and the way out", () => {
    const bytes = file(`{"a":${entry("[2]", 0, 4)}}`, 4);
    expect(messageOf(() => readSafetensors(bytes))).toMatchInlineSnapshot(
      `"safetensors at byte 9: tensor "a" of shape [2] must have 8 bytes; got 4. The file is damaged, or not safetensors: download or write it again."`,
    );
  });

  it("companions that do not fit their tensor are refused", () => {
    const weight = tensor("int8", [2], Int8Array.of(1, 2));
    const zero = tensor("int32", [], Int32Array.of(0));
    const read = (scale: Tensor) => () =>
      stateDictOfTensors(
        new Map<string, Tensor>([
          ["w", weight],
          ["w.scale", scale],
          ["w.zero_point", zero],
        ]),
      );
    expect(messageOf(read(float32([], [0])))).toMatchInlineSnapshot(
      `"safetensors: "w.scale" must be 1 positive F32. The file is damaged, or not safetensors: download or write it again."`,
    );
    expect(messageOf(read(float32([2], [1, 1])))).toContain("1 positive F32");
    expect(messageOf(read(float32([], [1])))).toBe("no error");
  });
});

describe("mutated files", () => {
  const seeds = [
    writeSafetensors(sample, new Map([["format", "pt"]])),
    writeSafetensors(new Map([["layer.0.weight", float32([8, 16], new Float32Array(128))]])),
    file(two("a", "b"), 12),
  ];
  function two(a: string, b: string) {
    return `{"${a}":${entry("[1]", 0, 4)}, "${b}":${entry("[2,1]", 4, 12)}}`;
  }

  it("10,000 seeded mutations end in tensors or a typed error, in time and memory", () => {
    let state = 20261125;
    const random = (below: number) => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    const outcomes = { tensors: 0, error: 0 };
    let [slowest, most] = [0, 0];
    for (let round = 0; round < 10_000; round++) {
      const seed = seeds[random(seeds.length)]!;
      let bytes = seed.slice();
      const kind = random(5);
      if (kind === 0) bytes = bytes.slice(0, random(bytes.length));
      else if (kind === 1) {
        const other = seeds[random(seeds.length)]!;
        const [cut, from] = [random(bytes.length), random(other.length)];
        bytes = Uint8Array.from([...bytes.subarray(0, cut), ...other.subarray(from)]);
      } else if (kind === 2) {
        // A digit for a digit keeps the grammar, and lies about sizes.
        const digits = [...bytes.keys()].filter((at) => bytes[at]! >= 0x30 && bytes[at]! <= 0x39);
        for (let count = 1 + random(3); count > 0; count--) {
          bytes[digits[random(digits.length)]!] = 0x30 + random(10);
        }
      } else {
        for (let flips = 1 + random(3); flips > 0; flips--) {
          const at = random(bytes.length);
          bytes[at] = kind === 3 ? bytes[at]! ^ (1 << random(8)) : random(256);
        }
      }
      const start = process.cpuUsage(); // a machine that is busy elsewhere does not count
      const before = process.memoryUsage();
      try {
        stateDictOfTensors(readSafetensors(bytes).tensors);
        outcomes.tensors++;
      } catch (error) {
        if (!(error instanceof WebGpuQuantError))
          throw new Error(`round ${round}`, { cause: error });
        outcomes.error++;
      }
      const after = process.memoryUsage();
      const used = after.heapUsed + after.external - before.heapUsed - before.external;
      most = Math.max(most, used - 4 * bytes.length);
      const { user, system } = process.cpuUsage(start);
      slowest = Math.max(slowest, (user + system) / 1000);
    }
    expect(slowest).toBeLessThan(1000); // ms of CPU time
    expect(most).toBeLessThan(64 * 2 ** 20); // bytes
    // Mutations that never reach the tensors, or never break them, would test nothing.
    expect(Math.min(outcomes.tensors, outcomes.error)).toBeGreaterThan(500);
  });
});
