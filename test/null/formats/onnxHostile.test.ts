// Files that lie. Every one must end in a typed error within a second: named cases first, then seeded
// mutations of valid files.

import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { describe, expect, it } from "vitest";
import { exportOnnx } from "../../../src/formats/onnx/export.ts";
import { importOnnx } from "../../../src/formats/onnx/import.ts";
import { tensorProto } from "../../../src/formats/onnx/draft.ts";
import type { TensorProto } from "../../../src/formats/onnx/proto.ts";
import { readMutations } from "./mutations.ts";
import {
  branch,
  float,
  floats,
  longs,
  messageOf,
  node,
  scalar,
  tiny,
  type Tiny,
} from "./onnxModels.ts";

const { Varint, LengthDelimited, Bit64 } = WireType;

/** A message written by hand: one callback per field of the graph. */
function graphWith(write: (out: BinaryWriter) => void): Uint8Array {
  const out = new BinaryWriter();
  out.tag(1, Varint).int64(8);
  out.tag(7, LengthDelimited).fork();
  write(out);
  out.join();
  out.tag(8, LengthDelimited).fork().tag(2, Varint).int64(17);
  return out.join().finish();
}

/** A model whose initializer "w" is written by hand and added to x. */
function withTensor(
  write: (out: BinaryWriter) => void,
  options?: Parameters<typeof importOnnx>[1],
): () => unknown {
  const bytes = graphWith((out) => {
    const message = (field: number, body: () => void) => {
      out.tag(field, LengthDelimited).fork();
      body();
      out.join();
    };
    const text = (field: number, value: string) => out.tag(field, LengthDelimited).string(value);
    message(1, () => {
      text(1, "w");
      text(1, "x");
      text(2, "y");
      text(4, "Gather");
    });
    message(5, () => {
      text(8, "w");
      write(out);
    });
    message(11, () => {
      text(1, "x");
      message(2, () =>
        message(1, () => {
          out.tag(1, Varint).int64(7);
          message(2, () => message(1, () => out.tag(1, Varint).int64(1)));
        }),
      );
    });
    message(12, () => text(1, "y"));
  });
  return () => importOnnx(bytes, options);
}

const FLOAT = (out: BinaryWriter) => out.tag(2, Varint).int64(1);
const dim = (out: BinaryWriter, size: number | bigint) => out.tag(1, Varint).int64(size);
const raw = (out: BinaryWriter, length: number) =>
  out.tag(9, LengthDelimited).bytes(new Uint8Array(length));

function external(keys: readonly (readonly [string, string])[], files?: [string, Uint8Array][]) {
  return withTensor(
    (out) => {
      dim(FLOAT(out), 1);
      for (const [key, value] of keys) {
        out.tag(13, LengthDelimited).fork();
        out.tag(1, LengthDelimited).string(key).tag(2, LengthDelimited).string(value);
        out.join();
      }
      out.tag(14, Varint).int64(1);
    },
    files ? { externalData: new Map(files) } : {},
  );
}

const bytesOf =
  (...values: number[]) =>
  () =>
    importOnnx(Uint8Array.from(values));
const read = (parts: Tiny) => () => importOnnx(tiny(parts));
const relu = node("Relu", ["x"]);
const nested = (depth: number) => {
  let inner: Uint8Array = new Uint8Array();
  for (let level = 0; level < depth; level++) {
    // graph { node { attribute { g: inner } } }
    const out = new BinaryWriter();
    out.tag(1, LengthDelimited).fork().tag(5, LengthDelimited).fork();
    out.tag(6, LengthDelimited).bytes(inner).join().join();
    inner = out.finish();
  }
  return graphWith((out) => out.raw(inner));
};

describe("named hostile files", () => {
  it.each<[string, () => unknown, string]>([
    ["an empty file", bytesOf(), "there is no graph"],
    ["text", () => importOnnx(new TextEncoder().encode("<!DOCTYPE html>")), "ONNX at byte"],
    ["field number 0", bytesOf(0x02, 0x00), "a field's tag cannot be read"],
    ["a start-group tag", bytesOf(0x3b), "field 7 has the forbidden wire type 3"],
    ["an end-group tag", bytesOf(0x3c), "field 7 has the forbidden wire type 4"],
    ["wire type 6", bytesOf(0x3e), "a field's tag cannot be read"],
    ["wire type 7", bytesOf(0x3f), "a field's tag cannot be read"],
    [
      "a varint of 11 bytes",
      bytesOf(0x08, ...Array<number>(10).fill(0xff), 1),
      "a varint cannot be read",
    ],
    ["a cut varint", bytesOf(0x08, 0xff), "a varint cannot be read"],
    ["a length beyond the file", bytesOf(0x3a, 0x7f, 0x00), "a length of 127 leaves its message"],
    [
      "a length of 2^63",
      bytesOf(0x3a, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1),
      "leaves its message",
    ],
    ["a fixed64 past the end", bytesOf((9 << 3) | Bit64, 1, 2), "a number of 8 bytes is cut off"],
    ["a graph of the wrong wire type", bytesOf(0x38, 0x01), "wire type 2 was expected; got 0"],
    ["two graphs", bytesOf(0x3a, 0, 0x3a, 0), "field 7 of one message is given twice"],
    [
      "graphs nested 200 deep",
      () => importOnnx(nested(200)),
      "messages are nested more than 100 deep",
    ],
    [
      "a name that is not UTF-8",
      () =>
        importOnnx(
          graphWith((out) => out.tag(2, LengthDelimited).bytes(Uint8Array.of(0xff, 0xfe))),
        ),
      "a string is not valid UTF-8",
    ],
    [
      "a name of 70,000 bytes",
      read({ nodes: [node("Relu", ["x"], ["y".repeat(70_000)])] }),
      "a string has 70000 bytes",
    ],
    [
      "dims of 2^62",
      withTensor((out) => raw(dim(FLOAT(out), 2n ** 62n), 8)),
      "a size must be 0 … 2147483647",
    ],
    [
      "dims of −1",
      withTensor((out) => raw(dim(FLOAT(out), -1), 8)),
      "a size must be 0 … 2147483647; got -1",
    ],
    [
      "dims whose product wraps 2^32",
      withTensor((out) => raw(dim(dim(FLOAT(out), 65536), 65536), 0)),
      "must have 17179869184 bytes; got 0",
    ],
    [
      "dims whose product wraps 2^64",
      withTensor((out) => raw(dim(dim(dim(FLOAT(out), 2 ** 31 - 1), 2 ** 31 - 1), 2 ** 31 - 1), 4)),
      "must have 39614081201791936601413124092 bytes; got 4",
    ],
    [
      "33 axes",
      withTensor((out) =>
        raw(
          Array.from({ length: 33 }).reduce<BinaryWriter>((o) => dim(o, 1), FLOAT(out)),
          4,
        ),
      ),
      "a tensor has more than 32 axes",
    ],
    ["too few bytes", withTensor((out) => raw(dim(FLOAT(out), 2), 7)), "must have 8 bytes; got 7"],
    ["no data", withTensor((out) => dim(FLOAT(out), 2)), "must have 8 bytes; got 0"],
    [
      "raw_data beside float_data",
      withTensor((out) =>
        raw(dim(FLOAT(out), 1), 4)
          .tag(4, LengthDelimited)
          .bytes(new Uint8Array(4)),
      ),
      'tensor "w" must have one data field; got raw_data and float_data',
    ],
    [
      "float_data of 3 bytes",
      withTensor((out) => dim(FLOAT(out), 1).tag(4, LengthDelimited).bytes(new Uint8Array(3))),
      "packed numbers of 4 bytes take 3 bytes",
    ],
    [
      "int64_data for floats",
      withTensor((out) => dim(FLOAT(out), 1).tag(7, Varint).int64(1)),
      "must keep its data in raw_data or float_data; got int64_data",
    ],
    [
      "a segment",
      withTensor((out) => FLOAT(out).tag(3, LengthDelimited).bytes(new Uint8Array())),
      "segmented",
    ],
    [
      "external data nobody passed",
      external([["location", "w.bin"]]),
      'keeps its data in "w.bin"; got external data for none',
    ],
    ["a parent path", external([["location", "a/../../w"]]), "it climbs out of its folder"],
    ["an absolute path", external([["location", "/etc/passwd"]]), "it is absolute"],
    ["a drive", external([["location", "C:w"]]), "it has a colon"],
    ["a backslash", external([["location", "a\\w"]]), "it has a backslash"],
    ["a NUL", external([["location", "w\0.bin"]]), "it has a NUL"],
    ["a memory address marker", external([["location", "*/_ORT_MEM_ADDR_/*"]]), "memory address"],
    ["the key __proto__", external([["__proto__", "1"]]), 'unknown external data key "__proto__"'],
    [
      "a location given twice",
      external([
        ["location", "a"],
        ["location", "b"],
      ]),
      '"location" is given twice',
    ],
    [
      "external bytes past the end",
      external(
        [
          ["location", "w"],
          ["offset", "2"],
          ["length", "4"],
        ],
        [["w", new Uint8Array(4)]],
      ),
      'needs bytes 2 … 6 of "w", which has 4',
    ],
    [
      "a negative offset",
      external(
        [
          ["location", "w"],
          ["offset", "-4"],
        ],
        [["w", new Uint8Array(4)]],
      ),
      "must be a number of bytes",
    ],
    [
      "unsorted nodes",
      read({ nodes: [node("Relu", ["a"]), node("Relu", ["x"], ["a"])] }),
      "before it is computed",
    ],
    [
      "a cycle",
      read({ nodes: [node("Add", ["x", "b"], ["a"]), node("Relu", ["a"], ["b"])], outputs: ["b"] }),
      "before it is computed",
    ],
    [
      "a dangling input",
      read({ nodes: [node("Relu", ["ghost"])] }),
      'uses "ghost", which nothing defines',
    ],
    [
      "a dangling output",
      read({ nodes: [relu], outputs: ["ghost"] }),
      'graph output "ghost" is defined by nothing',
    ],
    ["an output defined twice", read({ nodes: [relu, relu] }), 'the name "y" is defined twice'],
    [
      "an input that is also computed",
      read({ nodes: [node("Relu", ["x"], ["x"])] }),
      'the name "x" is defined twice',
    ],
    [
      "an initializer given twice",
      read({ nodes: [relu], protos: [1, 2].map(() => tensorProto("w", scalar(1))) }),
      'the name "w" is defined twice',
    ],
    [
      "a permutation with a repeat",
      read({ nodes: [node("Transpose", ["x"], ["y"], { perm: [0, 0, 1, 2] })] }),
      "perm must hold 0 … 3",
    ],
    [
      "a stride of 0",
      read({ nodes: [node("MaxPool", ["x"], ["y"], { kernel_shape: [1, 1], strides: [0, 1] })] }),
      "strides must be 2 numbers of at least 1",
    ],
    [
      "a Slice step of 0",
      read({ nodes: [node("Slice", ["x", "a", "a", "a", "a"])], initializers: { a: longs(0) } }),
      "steps must not be 0",
    ],
    [
      "two −1 in a Reshape",
      read({ nodes: [node("Reshape", ["x", "s"])], initializers: { s: longs(-1, -1) } }),
      "−1 may stand once",
    ],
    [
      "a scale of 0",
      read({
        nodes: [node("QuantizeLinear", ["x", "s"], ["q"]), node("DequantizeLinear", ["q", "s"])],
        initializers: { s: scalar(0) },
      }),
      "scales must be finite and positive",
    ],
    [
      "an attribute of the wrong type",
      read({ nodes: [node("Flatten", ["x"], ["y"], { axis: float(1) })] }),
      "attribute axis must be of type int; got float",
    ],
    ["too many inputs", read({ nodes: [node("Relu", ["x", "x"])] }), "it takes 1 input(s); got 2"],
    [
      "a filter that contradicts its Conv",
      read({ nodes: [node("Conv", ["x", "w"])], initializers: { w: floats([2, 3, 1, 1]) } }),
      "channels must divide by group",
    ],
  ])("%s", (_, run, words) => {
    const start = process.cpuUsage(); // a machine that is busy elsewhere does not count
    const message = messageOf(run);
    expect(message).toMatch(/^(FormatError|InputError): /);
    expect(message).toContain(words);
    const { user, system } = process.cpuUsage(start);
    expect((user + system) / 1000).toBeLessThan(1000); // ms of CPU time; R4: each hostile file under a second
  });

  it("names like __proto__ are only names", () => {
    const nodes = [
      node("Relu", ["__proto__"], ["constructor"], {}, { name: "toString" }),
      node("Relu", ["constructor"]),
    ];
    const graph = importOnnx(tiny({ nodes, inputs: Object.fromEntries([["__proto__", [1]]]) }));
    expect(graph.inputs).toEqual(["__proto__"]);
    expect(graph.nodes[0]?.name).toBe("toString");
  });

  it("20,000 nodes of one name are renamed", () => {
    const nodes = Array.from({ length: 20_000 }, (_, at) =>
      node("Relu", [at === 0 ? "x" : `v${at - 1}`], [`v${at}`], {}, { name: "same" }),
    );
    const bytes = tiny({ nodes, outputs: ["v19999"] });
    // How time grows with nodes: test/null/formats/onnxLinear.test.ts.
    expect(importOnnx(bytes).nodes.at(-1)?.name).toBe("same_19999");
  });

  it("every offender is named, in one error", () => {
    const parts: Tiny = {
      nodes: [
        node("Det", ["x"], ["a"], {}, { name: "gelu" }),
        node("Relu", ["a"], ["b"], {}, { domain: "com.example" }),
        node("Flatten", ["b"], ["c"], { axis: 1, colour: 3 }),
        node("Pad", ["x", "p"], ["d"], { mode: "wrap" }),
        node("Loop", ["x"], ["e"], {}, { name: "branch" }),
        node("Identity", ["half"]),
      ],
      inputs: { x: [1, 2] },
      initializers: { p: longs(0, 0, 1, 1) },
      protos: [{ ...tensorProto("half", scalar(1)), dataType: 16 } as TensorProto],
    };
    expect(messageOf(read(parts))).toMatchInlineSnapshot(`
      "UnsupportedError: import: 6 unsupported node(s):
        initializer "half": dtype BFLOAT16 is not supported
        Det "gelu": this op is not supported
        Relu "Relu_0": domain "com.example" is not supported
        Flatten "Flatten_0": attribute "colour" is not supported
        Pad "Pad_0": mode "wrap" is not supported; "constant", "reflect" and "edge" are
        Loop "branch": this op is not supported
      Export the model without these, or replace them before import (README: supported ONNX ops)."
    `);
  });

  it.each([6, 26])("opset %i is refused with words", (opset) => {
    expect(messageOf(read({ nodes: [relu], opset }))).toContain(
      `opset "${opset}": the default domain must be of opset 7 … 25`,
    );
  });
});

describe("external data that is there", () => {
  it("is a view on the caller's bytes", () => {
    const file = new Uint8Array(Float32Array.of(1, 2, 3).buffer);
    const keys = [
      ["location", "w.bin"],
      ["offset", "4"],
      ["length", "4"],
    ] as const;
    const graph = external(keys, [["w.bin", file]])() as ReturnType<typeof importOnnx>;
    expect(graph.constants.get("w")?.data).toEqual(Float32Array.of(2));
    expect(graph.constants.get("w")?.data.buffer).toBe(file.buffer);
  });
});

describe("typed data fields", () => {
  it.each<[string, (out: BinaryWriter) => unknown, number]>([
    ["float_data", (out) => dim(FLOAT(out), 1).tag(4, WireType.Bit32).float(2.5), 2.5],
    [
      "float16 in raw_data",
      (out) =>
        dim(out.tag(2, Varint).int64(10), 1)
          .tag(9, LengthDelimited)
          .bytes(Uint8Array.of(0x00, 0xc1)),
      -2.5,
    ],
    [
      "float16 in int32_data",
      (out) => dim(out.tag(2, Varint).int64(10), 1).tag(5, Varint).int64(0x4100),
      2.5,
    ],
    [
      "the least subnormal float16",
      (out) => dim(out.tag(2, Varint).int64(10), 1).tag(5, Varint).int64(1),
      2 ** -24,
    ],
    [
      "double_data",
      (out) => dim(out.tag(2, Varint).int64(11), 1).tag(10, Bit64).double(0.1),
      Math.fround(0.1),
    ],
  ])("%s", (_, write, expected) => {
    const graph = withTensor(write)() as ReturnType<typeof importOnnx>;
    expect(graph.constants.get("w")?.data).toEqual(Float32Array.of(expected));
  });

  it("int32_data that does not fit its dtype is refused", () => {
    const write = (out: BinaryWriter) =>
      dim(out.tag(2, Varint).int64(3), 1).tag(5, Varint).int64(200);
    expect(messageOf(withTensor(write))).toContain('tensor "w" holds 200, which is no int8');
  });
});

describe("mutated files", () => {
  const quantized = {
    s: scalar(0.5),
    w: floats([4, 2, 3, 3]),
    shape: longs(0, -1),
    g: floats([3, 64]),
  };
  const seeds = [
    tiny({
      nodes: [
        node("Conv", ["x", "w"], ["a"], { pads: [1, 1, 1, 1], auto_pad: "NOTSET" }),
        node("Clip", ["a", "", "s"], ["b"]),
        node("MaxPool", ["b"], ["c"], { kernel_shape: [2, 2], ceil_mode: 1 }),
        node("Reshape", ["b", "shape"], ["d"]),
        node("Gemm", ["d", "g"], ["y"], { transB: 1, alpha: float(0.5) }),
      ],
      initializers: quantized,
      outputs: ["c", "y"],
    }),
    tiny({
      nodes: [
        node("QuantizeLinear", ["x", "s"], ["q"]),
        node("DequantizeLinear", ["q", "s"], ["f"]),
        node("Shape", ["x"], ["n"]),
        node("Gather", ["n", "axis"], ["batch"]),
        node("Concat", ["batch", "rest"], ["target"], { axis: 0 }),
        node("Reshape", ["f", "target"], ["r"]),
        node("Split", ["r"], ["y", "z"], { axis: 1 }),
        node("Slice", ["r", "axis", "rest"], ["t"]),
      ],
      inputs: { x: ["batch", 2, 4] },
      initializers: { ...quantized, axis: longs(0), rest: longs(-1) },
      outputs: ["y", "t"],
    }),
    exportOnnx(importOnnx(tiny({ nodes: [node("ReduceMean", ["x"], ["y"], { axes: [2, 3] })] }))),
    tiny({
      nodes: [
        node("Shape", ["x"], ["n"]),
        node("Size", ["n"], ["rank"]),
        node("Equal", ["rank", "rank"], ["c"]),
        node("If", ["c"], ["y"], {
          then_branch: branch(
            [
              node("Mul", ["x", "s"], ["a"]),
              node("If", ["c"], ["b"], {
                then_branch: branch([node("Add", ["a", "x"], ["a"])], ["a"]),
                else_branch: branch([node("Relu", ["x"], ["a"])], ["a"]),
              }),
            ],
            ["b"],
            { s: scalar(2) },
          ),
          else_branch: branch([node("Tanh", ["x"], ["t"])], ["t"]),
        }),
        node("Gather", ["table", "ids"], ["z"]),
      ],
      inputs: { x: ["batch", 4], ids: ["batch", 3] },
      types: { ids: 7 },
      initializers: { table: floats([5, 4]) },
      outputs: ["y", "z"],
    }),
  ];

  it("10,000 seeded mutations end in a graph or a typed error, each within a second and in little memory", () => {
    readMutations(seeds, 10_000, 20261123, (bytes) => importOnnx(bytes));
  });
});
