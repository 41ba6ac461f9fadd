// State dicts of every kind against what PyTorch says of them, and the words for files that hold none.

import { describe, expect, it } from "vitest";
import { readStateDict, withoutPrefix } from "../../../../src/formats/torch/index.ts";
import { load } from "../../../../src/load.ts";
import { bytesOf, expected, fixture, messageOf, pickleOf, plainQuant, saved } from "./support.ts";

const names = Object.keys(expected).filter((name) => expected[name]!.state);

describe("state dicts", () => {
  it("fixtures of both containers and of float, quantized and trained models are there", () => {
    expect(names).toEqual([
      "kinds.zip.pt",
      "kinds.legacy.pt",
      "kinds.protocol4.pt",
      "checkpoint.pth",
      "perTensor.zip.pt",
      "perTensor.legacy.pt",
      "perChannel.zip.pt",
      "perChannel.legacy.pt",
      "qat.pt",
    ]);
  });

  it.each(names)("%s holds PyTorch's names, shapes, bytes and parameters", async (name) => {
    const state = await readStateDict(fixture(name));
    const want = expected[name]!.state!;
    expect([...state.keys()].sort()).toEqual(Object.keys(want).sort());
    for (const [key, { tensor, quant }] of state) {
      const { dtype, shape, quant: wantQuant } = want[key]!;
      expect([key, tensor.dtype, tensor.shape]).toEqual([key, dtype, shape]);
      const { buffer, byteOffset, byteLength } = tensor.data;
      const bytes = new Uint8Array(buffer, byteOffset, byteLength);
      expect([key, bytes]).toEqual([key, bytesOf(want[key]!)]);
      const rounded = wantQuant && { ...wantQuant, scale: wantQuant.scale.map(Math.fround) };
      expect([key, plainQuant(quant)]).toEqual([key, rounded]);
    }
  });

  it("row-major tensors are views on the file, others are copies", async () => {
    const bytes = fixture("kinds.zip.pt");
    const state = await readStateDict(bytes);
    const isView = (name: string) => state.get(name)!.tensor.data.buffer === bytes.buffer;
    expect(["float", "long", "char", "shared.part", "parameter"].map(isView)).not.toContain(false);
    expect(["half", "double", "lastChannels", "transposed"].map(isView)).not.toContain(true);
  });

  it("DataParallel's prefix is taken off where every name has it", async () => {
    const state = await readStateDict(fixture("checkpoint.pth"));
    expect([...state.keys()][0]).toBe("module.conv.weight");
    expect([...withoutPrefix(state).keys()][0]).toBe("conv.weight");
    const mixed = new Map([...state, ["other", state.get("module.conv.weight")!]]);
    expect(withoutPrefix(mixed)).toBe(mixed);
  });
});

describe("files that hold no state dict", () => {
  it("a TorchScript archive brings its own graph", async () => {
    const message = await messageOf(() => readStateDict(fixture("quantized.scripted.pt")));
    expect(message).toMatch(
      /^InputError: state dict: the file must hold tensors by name; got a TorchScript archive of __torch__\..*Block\. It brings its own graph: pass it to load\(\)\.$/,
    );
  });

  it("load() names the way to build a graph around weights", async () => {
    for (const name of ["perTensor.zip.pt", "perTensor.legacy.pt"]) {
      expect(await messageOf(() => load(fixture(name)))).toMatchInlineSnapshot(
        `"InputError: load: the file must hold a graph, or the weights of a known architecture; got a state dict of 18 entries (quant.scale, quant.zero_point, …), which holds weights alone. Known are mobilenet_v2, mobilenet_v3_large, resnet18, resnet50, resnext101_32x8d, inception_v3, googlenet, shufflenet_v2_x0_5, shufflenet_v2_x1_0, shufflenet_v2_x1_5, shufflenet_v2_x2_0, cifar_resnet20, cifar_resnet32, cifar_resnet44, cifar_resnet56, cifar_resnet110. Build the architecture around them, models.mobilenetV2({ weights }), models.resnet18({ weights }), …, or save the model with its graph: torch.onnx.export, torch.jit.save."`,
      );
    }
  });

  it.each([
    ["a list", pickleOf([0x80, 2], "]", ".")],
    ["a dict of numbers", pickleOf([0x80, 2], "}X", [1, 0, 0, 0], "aK", 1, "s", ".")],
  ])("%s is named", async (_, pickle) => {
    expect(await messageOf(() => readStateDict(saved(pickle)))).toMatchSnapshot();
  });

  it("float zero points are refused by name", async () => {
    const text = (value: string) => [0x58, value.length, 0, 0, 0, ...Buffer.from(value)];
    const storage = (type: string, key: string, length: number) => [
      ...Buffer.from(`(`),
      ...text("storage"),
      ...Buffer.from(`ctorch\n${type}Storage\n`),
      ...text(key),
      ...text("cpu"),
      ...[0x4b, length],
      ...Buffer.from("tQ"),
    ];
    const ones = (length: number) => [0x4b, length, 0x85, 0x4b, 1, 0x85];
    const tensor = (type: string, key: string) => [
      ...Buffer.from("ctorch._utils\n_rebuild_tensor_v2\n("),
      ...storage(type, key, 2),
      ...[0x4b, 0],
      ...ones(2),
      ...[0x89, ...Buffer.from("Nt"), 0x52],
    ];
    const pickle = pickleOf(
      [0x80, 2],
      "}",
      text("embedding.weight"),
      "ctorch._utils\n_rebuild_qtensor\n(",
      [
        ...storage("QUInt8", "0", 2),
        ...[0x4b, 0],
        ...ones(2),
        ...Buffer.from("(ctorch\nper_channel_affine\n"),
        ...tensor("Float", "1"),
        ...tensor("Float", "2"),
        ...[0x4b, 0, ...Buffer.from("t"), 0x89, ...Buffer.from("NtRs.")],
      ],
    );
    const { zipOf } = await import("./support.ts");
    const file = zipOf([
      { name: "a/data.pkl", data: pickle },
      { name: "a/data/0", data: new Uint8Array(2) },
      { name: "a/data/1", data: new Uint8Array(8) },
      { name: "a/data/2", data: new Uint8Array(8) },
    ]);
    expect(await messageOf(() => readStateDict(file))).toMatchInlineSnapshot(
      `"InputError: tensor "embedding.weight": zero points must be integers; got Float. Float zero points (embeddings) have no integer kernel here: load the float checkpoint."`,
    );
  });
});
