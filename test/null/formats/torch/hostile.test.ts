// PyTorch files that lie. Every one must end in a typed error within a second and in little memory: named
// cases first, then seeded mutations of valid files, of each layer by itself.

import { zlibSync } from "fflate";
import { describe, expect, it } from "vitest";
import { WebGpuQuantError } from "../../../../src/errors.ts";
import { readStateDict } from "../../../../src/formats/torch/index.ts";
import { torchBudget, TORCH_ZIP } from "../../../../src/formats/torch/limits.ts";
import { Zip } from "../../../../src/formats/zip/zip.ts";
import { load } from "../../../../src/load.ts";
import { fixture, messageOf, pickleOf, saved, zipOf, type ZipPart } from "./support.ts";

const PROTO = [0x80, 2];
const text = (value: string) => [0x58, value.length, 0, 0, 0, ...Buffer.from(value)];
const u32 = (value: number) => [value & 255, (value >> 8) & 255, (value >> 16) & 255, value >>> 24];
const empty = pickleOf(PROTO, "}", ".");
const data: ZipPart = { name: "a/data.pkl", data: empty };
const deflated = (bytes: Uint8Array) => zlibSync(bytes).slice(2, -4);

const reading = (bytes: Uint8Array) => () => readStateDict(bytes);
const zipped = (...parts: ZipPart[]) => reading(zipOf(parts));
const pickled = (...parts: Parameters<typeof pickleOf>) =>
  reading(saved(pickleOf(PROTO, ...parts)));

/** A state dict with one tensor, its parts given. */
function withTensor(storage: string, length: number[], shape: number[], bytes = new Uint8Array(8)) {
  const pickle = pickleOf(
    PROTO,
    "}",
    text("w"),
    "ctorch._utils\n_rebuild_tensor_v2\n((",
    text("storage"),
    `ctorch\n${storage}\n`,
    text("0"),
    text("cpu"),
    length,
    "tQ",
    shape,
    [0x89],
    "NtRs.",
  );
  return zipped({ name: "a/data.pkl", data: pickle }, { name: "a/data/0", data: bytes });
}

const patched = (bytes: Uint8Array, at: number, value: number) => {
  const copy = bytes.slice();
  copy[at < 0 ? copy.length + at : at] = value;
  return copy;
};

describe("named hostile files", () => {
  it.each<[string, () => unknown, string]>([
    [
      "os.system in a zip file",
      reading(fixture("evil.zip.pt")),
      'the name "posix.system" is refused',
    ],
    ["os.system in a legacy file", reading(fixture("evil.legacy.pt")), '"posix.system" is refused'],
    ["os.system alone", reading(fixture("evil.pickle.pt")), '"posix.system" is refused'],
    ["os.system to load()", () => load(fixture("evil.pickle.pt")), '"posix.system" is refused'],
    ["os.system by its own name", pickled("cos\nsystem\n(tR."), 'the name "os.system" is refused'],
    ["builtins.eval", pickled("cbuiltins\neval\n(tR."), 'the name "builtins.eval" is refused'],
    ["a STACK_GLOBAL", pickled(text("os"), text("system"), [0x93], "."), '"os.system" is refused'],
    ["a name like a builder's prototype", pickled("c__proto__\nconstructor\n."), "is refused"],
    ["toString as a name", pickled("cObject\ntoString\n."), "is refused"],
    ["torch.load by name", pickled("ctorch\nload\n."), '"torch.load" is refused'],
    ["opcode INST", pickled("(ios\nsystem\n."), "opcode INST is not on the list"],
    ["opcode EXT1", pickled([0x82, 1], "."), "opcode EXT1"],
    ["opcode BYTEARRAY8", pickled([0x96], "."), "opcode BYTEARRAY8"],
    ["an unknown opcode", pickled([0xff], "."), "opcode 0xff"],
    ["protocol 0", reading(saved(pickleOf("(lp0\n."))), "opcode"],
    ["protocol 6", reading(saved(pickleOf([0x80, 6], "N."))), "protocol 6 is not supported"],
    ["a pickle without an end", pickled("}"), "it is cut off"],
    ["an empty pickle", reading(saved(new Uint8Array())), "it is cut off"],
    ["a pop of nothing", pickled("."), "its stack is empty"],
    ["values left over", pickled("NN."), "values are left over"],
    ["a tuple without a mark", pickled("Nt."), "a mark is missing"],
    ["a memo entry out of nowhere", pickled("h", [7], "."), "memo entry 7 is used before"],
    ["a string of 4 GB", pickled("X", u32(0xffffffff), "a."), "a string has 4294967295 bytes"],
    ["a string past the end", pickled("X", u32(100), "a."), "it is cut off"],
    ["a string that is not UTF-8", pickled("X", u32(1), [0xff], "."), "is not valid UTF-8"],
    ["a frame past the end", pickled([0x95], u32(100), u32(0), "N."), "a frame is cut off"],
    ["a key without a value", pickled("}(Nu."), "a key has no value"],
    ["a list as a key", pickled("}(]Nu."), "a key must be a string or an integer"],
    ["items for a list", pickled("](", text("a"), "Nu."), "only dicts take items; got a list"],
    ["an append to a dict", pickled("}Na."), "only lists are appended to; got a dict"],
    ["state for a tuple", pickled(")}b."), "only TorchScript objects and dicts have state"],
    ["a call of a dtype", pickled("ctorch\nqint8\n)R."), '"torch.qint8" builds nothing'],
    [
      "NEWOBJ of a dict",
      pickled("ccollections\nOrderedDict\n)", [0x81], "."),
      "is no TorchScript class",
    ],
    [
      "300,000 lists",
      reading(saved(pickleOf(PROTO, Array<number>(300_000).fill(0x5d), "."))),
      "200000 objects",
    ],
    [
      "1,100,000 times None",
      reading(saved(pickleOf(PROTO, Array<number>(1_100_000).fill(0x4e), "."))),
      "1000000 places",
    ],
    [
      "no storage",
      withTensor("FloatStorage", [0x4b, 4], [0x4b, 0, 0x4b, 4, 0x85, 0x4b, 1, 0x85]),
      "must have 16 bytes; got 8 bytes",
    ],
    [
      "a tensor beyond its storage",
      withTensor("FloatStorage", [0x4b, 2], [0x4b, 0, 0x4b, 3, 0x85, 0x4b, 1, 0x85]),
      "reaches element 2 of a storage of 2",
    ],
    [
      "an offset beyond its storage",
      withTensor("FloatStorage", [0x4b, 2], [0x4b, 2, 0x4b, 1, 0x85, 0x4b, 1, 0x85]),
      "reaches element 2",
    ],
    [
      "a negative size",
      withTensor("FloatStorage", [0x4b, 2], [0x4b, 0, 0x4a, ...u32(-1), 0x85, 0x4b, 1, 0x85]),
      "the size of a tensor must be 0 … 2147483647",
    ],
    [
      "a negative stride",
      withTensor("FloatStorage", [0x4b, 2], [0x4b, 1, 0x4b, 2, 0x85, 0x4a, ...u32(-1), 0x85]),
      "the stride of a tensor must be",
    ],
    [
      "a size without a stride",
      withTensor("FloatStorage", [0x4b, 2], [0x4b, 0, 0x4b, 2, 0x85, 0x29]),
      "one stride per size",
    ],
    [
      "one element repeated 2^31 times",
      withTensor(
        "FloatStorage",
        [0x4b, 2],
        [0x4b, 0, 0x4a, ...u32(2 ** 31 - 1), 0x85, 0x4b, 0, 0x85],
      ),
      "more than the file's size explains",
    ],
    [
      "an unknown storage",
      withTensor("ComplexFloatStorage", [0x4b, 2], [0x4b, 0, 0x29, 0x29]),
      '"torch.ComplexFloatStorage" is refused',
    ],
    [
      "quantized elements without a scale",
      withTensor("QInt8Storage", [0x4b, 2], [0x4b, 0, 0x29, 0x29]),
      'quantized tensor "w" has no scale',
    ],
    ["an empty zip file", zipped(), "PyTorch file"],
    ["no data.pkl", zipped({ name: "a/b.pkl", data: empty }), "holds no data.pkl"],
    ["two models", zipped(data, { name: "b/data.pkl", data: empty }), "holds two models"],
    ["an entry given twice", zipped(data, data), 'entry "a/data.pkl" is given twice'],
    ["a wrong checksum", zipped({ ...data, crc: 1 }), 'the checksum of "a/data.pkl" does not fit'],
    ["an encrypted entry", zipped({ ...data, flags: 1 }), "is encrypted"],
    ["an unknown method", zipped({ ...data, method: 12 }), "packed by method 12"],
    ["two sizes of a stored entry", zipped({ ...data, size: 5 }), "states two sizes"],
    [
      "a bomb of 1000:1",
      zipped({ ...data, method: 8, data: deflated(new Uint8Array(100_000)), size: 100_000 }),
      "100 times is the limit",
    ],
    [
      "a size below the truth",
      zipped({ ...data, method: 8, data: deflated(new Uint8Array(50)), size: 20 }),
      "inflates to more than the 20 bytes",
    ],
    [
      "a size above the truth",
      zipped({ ...data, method: 8, data: deflated(new Uint8Array(50)), size: 60 }),
      "inflates to 50 bytes; 60 are stated",
    ],
    [
      "rubbish for deflated data",
      zipped({ ...data, method: 8, data: new Uint8Array(20).fill(255), size: 60 }),
      "is not deflated data",
    ],
    [
      "big-endian numbers",
      zipped(data, { name: "a/byteorder", data: pickleOf("big") }),
      "not little-endian",
    ],
    ["a cut file", reading(fixture("kinds.zip.pt").slice(0, -30)), "the zip directory is missing"],
    ["a directory elsewhere", reading(patched(zipOf([data]), -6, 0)), "PyTorch file"],
    [
      "a legacy file cut in its storages",
      reading(fixture("kinds.legacy.pt").slice(0, -3)),
      "is cut off",
    ],
    ["a legacy file of two bytes", reading(Uint8Array.of(0x80, 2)), "it is cut off"],
    ["a pickle of something else", reading(pickleOf(PROTO, "N.")), "the magic number is missing"],
  ])("%s", async (_, run, words) => {
    const start = process.cpuUsage(); // a machine that is busy elsewhere does not count
    const message = await messageOf(run);
    expect(message).toMatch(/^(FormatError|InputError|UnsupportedError): /);
    expect(message).toContain(words);
    const { user, system } = process.cpuUsage(start);
    expect((user + system) / 1000).toBeLessThan(1000); // ms of CPU time
  });

  it("a refused name is told with its place and a way out", async () => {
    expect(await messageOf(reading(fixture("evil.pickle.pt")))).toMatchInlineSnapshot(
      `"FormatError: PyTorch file at byte 2: pickle: the name "posix.system" is refused: a model's file may only name tensors, dicts and TorchScript classes, and nothing in it is ever called. Save a state_dict (torch.save(model.state_dict(), …)) or a TorchScript archive."`,
    );
  });

  it("an expression nested 10,000 deep is refused, not overflowed", async () => {
    const code = `class M(Module):\n  def forward(self, x: Tensor) -> Tensor:\n    return ${"(".repeat(10_000)}x${")".repeat(10_000)}\n`;
    const object = pickleOf(PROTO, "c__torch__\nM\n)", [0x81], "}b.");
    const file = zipOf([
      { name: "a/data.pkl", data: object },
      { name: "a/code/__torch__.py", data: new TextEncoder().encode(code) },
    ]);
    expect(await messageOf(() => load(file))).toContain("nested more than 100 deep");
  });

  it("calls that double 60 times end by their number of steps", async () => {
    const lines = ["class M(Module):", "  def f0(self, x: int) -> int:", "    return x"];
    for (let n = 1; n <= 60; n++) {
      lines.push(
        `  def f${n}(self, x: int) -> int:`,
        `    y = (self).f${n - 1}(x, )`,
        `    return (self).f${n - 1}(y, )`,
      );
    }
    lines.push(
      "  def forward(self, x: Tensor) -> Tensor:",
      "    y = (self).f60(1, )",
      "    return x",
      "",
    );
    const file = zipOf([
      { name: "a/data.pkl", data: pickleOf(PROTO, "c__torch__\nM\n)", [0x81], "}b.") },
      { name: "a/code/__torch__.py", data: new TextEncoder().encode(lines.join("\n")) },
    ]);
    expect(await messageOf(() => load(file))).toMatch(/too deep|steps/);
  });
});

/** A linear congruential generator. */
function seeded(seed: number) {
  let state = seed;
  return (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

type Random = ReturnType<typeof seeded>;

function mutate(bytes: Uint8Array, other: Uint8Array, random: Random): Uint8Array {
  const kind = random(4);
  if (kind === 0) return bytes.slice(0, random(bytes.length));
  if (kind === 1) {
    const [cut, from] = [random(bytes.length), random(other.length)];
    return Uint8Array.from([...bytes.subarray(0, cut), ...other.subarray(from)]);
  }
  const copy = bytes.slice();
  for (let flips = 1 + random(4); flips > 0; flips--) {
    const at = random(copy.length);
    copy[at] = kind === 2 ? copy[at]! ^ (1 << random(8)) : random(256);
  }
  return copy;
}

/** The entries of an archive, to be stored again. */
function partsOf(bytes: Uint8Array): ZipPart[] {
  const zip = new Zip(bytes, TORCH_ZIP, torchBudget(bytes.length));
  return zip.names
    .filter((name) => !name.endsWith(".debug_pkl"))
    .map((name) => ({ name, data: zip.get(name)! }));
}

/** `name`'s archive with the entries that `isOne` names mutated, their checksums right. */
function mutateEntry(name: string, isOne: (entry: string) => boolean) {
  const parts = partsOf(fixture(name));
  const targets = parts.filter((part) => isOne(part.name));
  return (random: Random) => {
    const target = targets[random(targets.length)]!;
    const other = targets[random(targets.length)]!;
    const changed = mutate(target.data, other.data, random);
    return zipOf(parts.map((part) => (part === target ? { ...part, data: changed } : part)));
  };
}

const isPickle = (entry: string) => entry.endsWith(".pkl");
const isCode = (entry: string) => entry.endsWith(".py");
const script = (bytes: Uint8Array) => load(bytes, { inputShape: [1, 3, 8, 8] });

describe("10,000 seeded mutations end in a value or a typed error, each within a second and in little memory", () => {
  const whole = (names: readonly string[]) => (random: Random) => {
    const [bytes, other] = [names[random(names.length)]!, names[random(names.length)]!].map(
      fixture,
    );
    return mutate(bytes!, other!, random);
  };
  const either =
    (...makers: ((random: Random) => Uint8Array)[]) =>
    (random: Random) =>
      makers[random(makers.length)]!(random);
  const ROUNDS = 10_000;
  it.each<
    [string, number, (random: Random) => Uint8Array, (bytes: Uint8Array) => Promise<unknown>]
  >([
    [
      "zip files",
      20261125,
      whole(["kinds.zip.pt", "quantized.frozen.pt"]),
      async (bytes) => {
        await readStateDict(bytes).catch((error: unknown) => {
          if (!(error instanceof WebGpuQuantError)) throw error;
        });
        return script(bytes);
      },
    ],
    [
      "pickles of state dicts",
      20261126,
      either(mutateEntry("kinds.zip.pt", isPickle), mutateEntry("perChannel.zip.pt", isPickle)),
      readStateDict,
    ],
    [
      "pickles of TorchScript archives",
      20261127,
      mutateEntry("quantized.frozen.pt", isPickle),
      script,
    ],
    [
      "legacy files",
      20261128,
      whole(["kinds.legacy.pt", "perChannel.legacy.pt", "perTensor.legacy.pt"]),
      readStateDict,
    ],
    [
      "TorchScript code",
      20261129,
      either(mutateEntry("quantized.frozen.pt", isCode), mutateEntry("head.scripted.pt", isCode)),
      script,
    ],
  ])(
    "%s, seed %i",
    async (what, seed, make, run) => {
      const random = seeded(seed);
      const outcomes = { value: 0, FormatError: 0, InputError: 0, UnsupportedError: 0 };
      let [slowest, greatest] = [0, 0];
      const held = () => {
        const { heapUsed, arrayBuffers } = process.memoryUsage();
        return heapUsed + arrayBuffers;
      };
      for (let round = 0; round < ROUNDS; round++) {
        const bytes = make(random);
        const [start, before] = [process.cpuUsage(), held()];
        try {
          await run(bytes);
          outcomes.value++;
        } catch (error) {
          if (!(error instanceof WebGpuQuantError)) {
            throw new Error(`seed ${seed}, round ${round}`, { cause: error });
          }
          outcomes[error.name as keyof typeof outcomes]++;
        }
        // Of the processor, so that a machine that is busy elsewhere does not count.
        const { user, system } = process.cpuUsage(start);
        slowest = Math.max(slowest, (user + system) / 1000);
        // What one reading leaves behind before a collection: all it took, as a bound from above.
        const grown = held() - before;
        greatest = Math.max(greatest, grown);
        if (grown > 4 * bytes.length + 64 * 2 ** 20) {
          throw new Error(
            `seed ${seed}, round ${round}: ${grown} bytes for a file of ${bytes.length}`,
          );
        }
      }
      console.log(
        `${what}, seed ${seed}: ${JSON.stringify(outcomes)}, slowest ${slowest.toFixed(0)} ms, most memory ${(greatest / 2 ** 20).toFixed(1)} MiB`,
      );
      expect(slowest).toBeLessThan(1000); // ms of CPU time
      // Mutations that never reach a reader, or never break it, would test nothing.
      expect(Math.min(outcomes.value, outcomes.FormatError)).toBeGreaterThan(50);
    },
    120_000,
  );
});
