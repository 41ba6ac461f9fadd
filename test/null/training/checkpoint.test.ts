// Checkpoints: what goes in comes out to the bit, and what is no checkpoint, or not this one, is refused by a typed
// error, whatever the bytes.

import { describe, expect, it } from "vitest";
import { CheckpointError } from "../../../src/errors.ts";
import { crc32 } from "../../../src/formats/zip/crc32.ts";
import { GraphBuilder } from "../../../src/graph/builder.ts";
import {
  decodeCheckpoint,
  encodeCheckpoint,
  fingerprintOf,
  type Checkpoint,
} from "../../../src/training/checkpoint.ts";
import { float32, tensor, type Tensor } from "../../../src/tensor/tensor.ts";
import { floats } from "../../support/seeded.ts";
import { readMutations } from "../formats/mutations.ts";

const bits = Float32Array.of(NaN, -0, Infinity, 1e-45, 0.1);
new Uint32Array(bits.buffer)[0] = 0x7fc12345; // a NaN of its own

const whole: Checkpoint = {
  step: 1234,
  update: 617,
  epoch: 3,
  position: 34,
  random: [1234567890, 0, 4294967295, 7],
  model: "0123456789abcdef",
  variables: new Map<string, Tensor>([
    ["conv1.weight", floats([4, 3, 3, 3], 1)],
    ["conv1.weight.momentum_buffer", floats([4, 3, 3, 3], 2)],
    ["odd", float32([5], bits)],
    ["zeroPoint", tensor("int32", [], Int32Array.of(-128))],
    ["empty", float32([0], [])],
  ]),
  metadata: new Map([
    ["loss", "0.25"],
    ["__proto__", "höher"],
  ]),
};

const bytesOf = ({ data }: Tensor) =>
  new Uint8Array(data.buffer, data.byteOffset, data.byteLength).join();

/** What reading `bytes` ends in. */
function errorOf(bytes: Uint8Array, model?: string): CheckpointError {
  try {
    decodeCheckpoint(bytes, model);
  } catch (error) {
    if (error instanceof CheckpointError) return error;
    throw error;
  }
  throw new Error("it was read");
}

/** `bytes` with the checksum and length that they need. */
function sealed(bytes: Uint8Array): Uint8Array {
  if (bytes.length < 24) return bytes;
  const copy = bytes.slice();
  const head = new DataView(copy.buffer);
  head.setUint32(12, crc32(copy.subarray(24)), true);
  head.setBigUint64(16, BigInt(copy.length - 24), true);
  return copy;
}

describe("a checkpoint", () => {
  it("comes back to the bit, special floats included", () => {
    const back = decodeCheckpoint(encodeCheckpoint(whole), whole.model);
    const { variables, ...rest } = back;
    const { variables: want, ...counters } = whole;
    expect(rest).toEqual(counters);
    expect([...variables.keys()].sort()).toEqual([...want.keys()].sort());
    for (const [name, value] of want) {
      expect(variables.get(name)!.shape).toEqual(value.shape);
      expect(bytesOf(variables.get(name)!)).toBe(bytesOf(value));
    }
  });

  it("is the same bytes for the same contents", () => {
    expect(encodeCheckpoint(whole)).toEqual(encodeCheckpoint({ ...whole }));
  });

  it("needs neither a generator nor metadata", () => {
    const { random: _random, metadata: _metadata, ...least } = whole;
    const back = decodeCheckpoint(encodeCheckpoint(least));
    expect(back.random).toBeUndefined();
    expect(back.metadata).toEqual(new Map());
  });

  it("can be read where it lies in a larger buffer, aligned or not", () => {
    const bytes = encodeCheckpoint(whole);
    for (const offset of [0, 1, 8]) {
      const larger = new Uint8Array(bytes.length + 16);
      larger.set(bytes, offset);
      const { variables } = decodeCheckpoint(larger.subarray(offset, offset + bytes.length));
      expect(bytesOf(variables.get("odd")!)).toBe(bytesOf(float32([5], bits)));
    }
  });

  it.each<[string, Partial<Checkpoint>]>([
    ["a step that is none", { step: 0.5 }],
    ["bytes as a variable", { variables: new Map([["w", tensor("int8", [1])]]) }],
    ["metadata as long as a book", { metadata: new Map([["log", "x".repeat(10_000)]]) }],
  ])("refuses to hold %s", (_, part) => {
    expect(() => encodeCheckpoint({ ...whole, ...part })).toThrowErrorMatchingSnapshot();
  });

  it("holds the longest metadata that it takes, whatever JSON makes of it", () => {
    const long = new Map([["k", "\u0001".repeat(8191)]]);
    expect(decodeCheckpoint(encodeCheckpoint({ ...whole, metadata: long })).metadata).toEqual(long);
  });
});

describe("what is refused", () => {
  const bytes = encodeCheckpoint(whole);

  it("every single byte that is turned, and every length it is cut to", () => {
    for (let at = 0; at < bytes.length; at += at < 64 ? 1 : 37) {
      const turned = bytes.slice();
      turned[at]! ^= 0x10;
      expect(errorOf(turned).reason).toBe(at >= 8 && at < 12 ? "version" : "damaged");
    }
    for (let length = 0; length < bytes.length; length += length < 64 ? 1 : 41)
      expect(errorOf(bytes.slice(0, length)).reason).toBe("damaged");
  });

  it("says what is wrong and what to do", () => {
    const turned = bytes.slice();
    turned[200]! ^= 1;
    const old = bytes.slice();
    old[8] = 9;
    const longer = new Uint8Array([...bytes, 0]);
    const open = sealed(new Uint8Array([...bytes.subarray(0, 24), ...new Uint8Array(40)]));
    const cases = {
      empty: errorOf(new Uint8Array()),
      another: errorOf(new TextEncoder().encode("PK, a file of another kind altogether")),
      turned: errorOf(turned),
      longer: errorOf(longer),
      old: errorOf(old),
      sealed: errorOf(open),
      model: errorOf(bytes, "fedcba9876543210"),
    };
    const lines = Object.entries(cases).map(([name, error]) => `${name}: ${error.message}`);
    expect(lines.join("\n").replace(/(must be|got) \d{9,10}/g, "$1 CRC")).toMatchInlineSnapshot(`
      "empty: checkpoint: it must have 24 bytes or more; got 0. Go on from an earlier checkpoint, or start again.
      another: checkpoint: it must begin as a checkpoint does; this is another file. Go on from an earlier checkpoint, or start again.
      turned: checkpoint: its checksum must be CRC; got CRC. Go on from an earlier checkpoint, or start again.
      longer: checkpoint: 1432 bytes must follow its head; got 1433. Go on from an earlier checkpoint, or start again.
      old: checkpoint: version 9 is not the one that this library reads, 1. Go on with the version of the library that wrote it, or start again.
      sealed: checkpoint: its tensors cannot be read. Go on from an earlier checkpoint, or start again.
      model: checkpoint: it is of model 0123456789abcdef, and this is fedcba9876543210. Train the model that it is of, with the same qconfig, or keep this one's checkpoints elsewhere."
    `);
    expect([cases.old.reason, cases.model.reason]).toEqual(["version", "model"]);
  });

  it.each<[string, string, string]>([
    ["a counter with a sign", '"step":"1234"', '"step":"-234"'],
    ["a counter that is no whole number", '"position":"34"', '"position":"3e"'],
    ["a counter that is missing", '"epoch":', '"spoch":'],
    ["a missing model", '"model":', '"modal":'],
    ["words of more than 32 bits", '"random":"1', '"random":"9'],
    ["another element type", '"dtype":"I32"', '"dtype":"I64"'],
  ])("%s, with a checksum that is right", (_, from, to) => {
    const text = Buffer.from(bytes).toString("latin1");
    expect(text).toContain(from);
    const broken = sealed(Uint8Array.from(Buffer.from(text.replace(from, to), "latin1")));
    expect(broken).toHaveLength(bytes.length);
    const error = errorOf(broken);
    expect(error.reason).toBe("damaged");
    expect(error.message).toMatchSnapshot();
  });
});

describe("10,000 mutations end in a checkpoint or a typed error", () => {
  const seeds = [whole, { ...whole, variables: new Map([["w", floats([2, 2], 3)]]) }].map(
    encodeCheckpoint,
  );

  it("with the checksum as it was", () => {
    readMutations(seeds, 5000, 20261126, (bytes) => decodeCheckpoint(bytes, whole.model), [
      "other",
    ]);
  });

  it("and with one that is made right, so that all that follows it is reached", () => {
    readMutations(seeds, 5000, 20261127, (bytes) => decodeCheckpoint(sealed(bytes), whole.model), [
      "graph",
      "other",
    ]);
  });
});

describe("fingerprintOf", () => {
  const graphOf = (units: number, bias: number, start: number) => {
    const builder = new GraphBuilder();
    builder.input("x", { dtype: "float32", shape: [1, units] });
    builder.variable("w", floats([units, 2], start));
    builder.constant("b", float32([2], [bias, 0]));
    builder.add({ op: "MatMul", name: "m", inputs: ["x", "w"], outputs: ["xw"] });
    builder.add({ op: "Add", name: "a", inputs: ["xw", "b"], outputs: ["y"] });
    return builder.build("net", ["x"], ["y"]);
  };

  it("is of nodes, shapes and constants, not of what is trained", () => {
    const base = fingerprintOf(graphOf(3, 1, 1));
    expect(base).toMatch(/^[0-9a-f]{16}$/);
    expect(fingerprintOf(graphOf(3, 1, 2))).toBe(base);
    expect(fingerprintOf(graphOf(4, 1, 1))).not.toBe(base);
    expect(fingerprintOf(graphOf(3, 2, 1))).not.toBe(base);
  });
});
