// The command as people run it: the built program in a process of its own, on the sample model and a few
// pictures. One idea: whatever comes in, stdout is one JSON object, and no partial file stays behind.
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { deflateSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { samplePicture } from "../../demo/sample/pictures.ts";
import { load } from "../../src/load.ts";
import { save } from "../../src/save.ts";
import { Model } from "../../src/model.ts";
import { formatNpy, parseNpy } from "../../src/tensor/npy.ts";
import { floats, node, tiny } from "../null/formats/onnxModels.ts";
import { fileOf } from "../null/pictures/fixtures.ts";
import { withoutDriver } from "../support/driverNoise.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const program = join(root, "bin", "webgpu-quant.js");
const sample = join(root, "demo", "sample", "model.onnx");
const PICTURES = 12;

let folder: string;
const path = (name: string) => join(folder, name);
const data = (name = "pictures") => ["--data", path(name), "--preprocess", path("spec.json")];

/** A PNG of 8-bit RGB. https://www.w3.org/TR/png-3 */
function png(width: number, height: number, rgb: Uint8Array): Uint8Array {
  const rows = Buffer.alloc(height * (width * 3 + 1));
  for (let y = 0; y < height; y++)
    rows.set(rgb.subarray(y * width * 3, (y + 1) * width * 3), y * (width * 3 + 1) + 1);
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const chunk = (type: string, body: Uint8Array) => {
    const out = Buffer.alloc(12 + body.length);
    out.writeUInt32BE(body.length, 0);
    out.write(type, 4, "latin1");
    out.set(body, 8);
    out.writeUInt32BE(crc(out.subarray(4, 8 + body.length)), 8 + body.length);
    return out;
  };
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const chunks = [
    chunk("IHDR", header),
    chunk("IDAT", deflateSync(rows)),
    chunk("IEND", header.subarray(0, 0)),
  ];
  return Buffer.concat([signature, ...chunks]);
}

/** CRC-32 of PNG: reflected polynomial 0xedb88320. */
function crc(bytes: Uint8Array): number {
  let value = ~0;
  for (const byte of bytes) {
    value ^= byte;
    for (let bit = 0; bit < 8; bit++) value = (value >>> 1) ^ (value & 1 ? 0xedb88320 : 0);
  }
  return ~value >>> 0;
}

function run(...argv: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...argv], {
    encoding: "utf8",
    cwd: folder,
  });
  return { status, stdout, stderr: withoutDriver(stderr) };
}

/** Run with --json: one line, one object. */
function runJson(...argv: string[]) {
  const { status, stdout, stderr } = run(...argv, "--json");
  expect(stdout.trimEnd().split("\n")).toHaveLength(1);
  return { status, stderr, json: JSON.parse(stdout) as Record<string, unknown> };
}

beforeAll(() => {
  const built = spawnSync(process.execPath, [join(root, "scripts", "build.mjs")], {
    encoding: "utf8",
  });
  expect(built.stderr).toBe("");
  folder = mkdtempSync(join(tmpdir(), "webgpu-quant-cli-"));
  for (const name of ["pictures", "broken", "empty"]) mkdirSync(path(name));
  const labels: Record<string, number> = {};
  for (let index = 0; index < PICTURES; index++) {
    const { label, width, height, data: pixels } = samplePicture(index, "test");
    const name = `${String(index).padStart(2, "0")}.png`;
    labels[name] = label;
    for (const into of ["pictures", "broken"])
      writeFileSync(path(`${into}/${name}`), png(width, height, pixels));
  }
  const jpeg = fileOf("420.jpg");
  writeFileSync(path("broken/05-cut.jpg"), jpeg.subarray(0, jpeg.length >> 1));
  labels["05-cut.jpg"] = 0;
  writeFileSync(path("labels.json"), JSON.stringify(labels));
  writeFileSync(path("spec.json"), JSON.stringify({ resize: 48, scale: 127.5, mean: [1, 1, 1] }));
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true }));

it("doctor tells the adapter and passes the self-test, and nothing is on stderr", () => {
  const { status, json, stderr } = runJson("doctor");
  expect([status, stderr]).toEqual([0, ""]);
  expect(json).toMatchObject({
    adapter: { vendor: expect.stringMatching(/./) as string },
    packedDot: expect.any(Boolean) as boolean,
    limits: { maxBufferSize: expect.any(Number) as number },
    selfTest: { mismatches: { convolution: 0 } },
  });
});

it("doctor says what came of matrices of subgroups, asked for experimental features or not", () => {
  for (const options of [[], ["--experimental"]]) {
    const { status, stdout } = run("doctor", ...options);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^matrices +(not offered|offered, but none|\d+×\d+×\d+ )/m);
  }
});

it("doctor exits with 1 and the remedy where the driver gives no adapter", () => {
  const { status, stderr } = spawnSync(process.execPath, [program, "doctor"], {
    encoding: "utf8",
    env: { ...process.env, VK_DRIVER_FILES: "/none.json", VK_ICD_FILENAMES: "/none.json" },
  });
  if (process.platform !== "linux") return; // elsewhere Dawn does not use Vulkan
  expect(status).toBe(1);
  expect(stderr).toContain("Unset VK_DRIVER_FILES and VK_ICD_FILENAMES, or name a working driver.");
});

describe("quantize, evaluate, compare and run, one after the other", () => {
  it("quantize writes a file of less than half the size, and says what it cost", () => {
    const { status, json, stderr } = runJson(
      "quantize",
      sample,
      ...data("broken"),
      "--out",
      "q.onnx",
    );
    expect(status).toBe(0);
    expect(stderr).toMatch(/^skipped: picture "05-cut\.jpg": [^\n]+\n$/);
    expect(json).toMatchObject({
      bytesFloat: readFileSync(sample).length,
      bytesQuantized: readFileSync(path("q.onnx")).length,
      integerMacShare: 1,
      out: "q.onnx",
      count: PICTURES,
      skipped: 1,
    });
    expect(json["bytesQuantized"]).toBeLessThan(readFileSync(sample).length / 2);
    const nodes = json["nodes"] as { name: string; op: string; dtype: string; sqnrDb: number }[];
    expect(nodes.find(({ name }) => name === "head/conv")).toMatchObject({
      op: "Conv",
      dtype: "uint8",
    });
    const values = nodes.map(({ sqnrDb }) => sqnrDb ?? Infinity);
    expect(values).toEqual(values.toSorted((a, b) => a - b));
  });

  it("evaluate compares the written file with the float one", () => {
    const labels = ["--labels", path("labels.json")];
    const reference = ["--reference", sample, "--batch", "4"];
    const { status, json } = runJson("evaluate", "q.onnx", ...data(), ...labels, ...reference);
    expect(status).toBe(0);
    expect(json).toMatchObject({ count: PICTURES, skipped: 0, top5: 100 });
    expect(json["agreement"]).toBeGreaterThan(90);
    expect(json["sqnrDb"]).toBeGreaterThan(15);
    expect((json["latencyMs"] as { median: number }).median).toBeGreaterThan(0);
  });

  it("evaluate refuses pictures without a class", () => {
    writeFileSync(path("few.json"), '{"00.png": 1}');
    const labels = ["--labels", path("few.json")];
    const { status, json } = runJson("evaluate", "q.onnx", ...data(), ...labels);
    expect(status).toBe(1);
    expect(json).toMatchObject({ error: { code: "input" } });
    expect(JSON.stringify(json)).toContain("11 of 12 picture(s) have no class there");
  });

  it("compare lists the layers worst first, for people too", () => {
    const { status, stdout, stderr } = run("compare", sample, "q.onnx", ...data(), "--limit", "2");
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^layer +op +dtype +SQNR\n─+\n/);
    expect(stdout).toContain("head/conv");
  });

  it("run gives the same bytes twice, for the int8 file", () => {
    writeFileSync(
      path("x.npy"),
      formatNpy(floats([2, 3, 48, 48], (index) => (index % 19) / 9 - 1)),
    );
    const first = runJson("run", "q.onnx", "--input", "x.npy", "--out", "y.npy");
    expect(first.status).toBe(0);
    expect(first.json).toMatchObject({ outputs: { logits: { dtype: "float32", shape: [2, 10] } } });
    expect(runJson("run", "q.onnx", "--input", "x.npy", "--out", "z.npy").status).toBe(0);
    expect(readFileSync(path("z.npy"))).toEqual(readFileSync(path("y.npy")));
    expect(parseNpy(readFileSync(path("y.npy"))).shape).toEqual([2, 10]);
  });

  it("quantize --equalize writes bounds a channel, and everything still runs in integers", async () => {
    const options = ["--qconfig", "int8PerTensor", "--equalize", "--calibration-limit", "4"];
    const { status, json } = runJson("quantize", sample, ...data(), ...options, "--out", "e.onnx");
    expect(status).toBe(0);
    expect(json).toMatchObject({ integerMacShare: 1 });
    const { graph } = await load(readFileSync(path("e.onnx")));
    const layers = graph.nodes.filter((node) => node.op === "Conv");
    expect(layers.some(({ high }) => typeof high === "object")).toBe(true);
    expect(layers.every(({ outputs }) => graph.values.get(outputs[0]!)!.quant)).toBe(true);
  });

  it("quantize refuses a file that is quantized already", () => {
    const { json } = runJson("quantize", "q.onnx", ...data(), "--out", "qq.onnx");
    expect(json).toMatchObject({ error: { code: "stage" } });
  });
});

describe("bad input is a typed error, and no output file appears", () => {
  const failing = (model: string, pictures: string, ...more: string[]) => {
    const before = readdirSync(folder).sort();
    const options = [...data(pictures), "--out", "bad.onnx", ...more];
    const { status, json } = runJson("quantize", model, ...options);
    expect(status).toBe(1);
    expect(readdirSync(folder).sort()).toEqual(before);
    return json["error"] as { code: string; message: string };
  };

  it("a truncated model", () => {
    const bytes = readFileSync(sample);
    writeFileSync(path("cut.onnx"), bytes.subarray(0, bytes.length - 1000));
    expect(failing("cut.onnx", "pictures").code).toBe("format");
  });

  it("a model with unknown ops lists every one", () => {
    const nodes = [node("Einsum", ["x"], ["a"]), node("NonZero", ["a"], ["y"])];
    writeFileSync(path("unknown.onnx"), tiny({ nodes, inputs: { x: [1, 3, 8, 8] } }));
    const { code, message } = failing("unknown.onnx", "pictures");
    expect(code).toBe("unsupported");
    expect(message).toContain("2 unsupported node(s)");
  });

  it("a folder without pictures", () => {
    const { code, message } = failing(sample, "empty");
    expect(code).toBe("input");
    expect(message).toContain(`--data "${path("empty")}": the folder holds no picture`);
  });

  it("a model that has no picture input", () => {
    writeFileSync(
      path("vector.onnx"),
      tiny({ nodes: [node("Relu", ["x"])], inputs: { x: [1, 8] } }),
    );
    expect(failing("vector.onnx", "pictures").message).toContain('got "x" float32 [1, 8]');
  });

  it("a pattern that names no node", () => {
    expect(failing(sample, "pictures", "--exclude", "nothing/*").code).toBe("qconfig");
  });

  it("a NaN in a weight, which is found after the calibration", async () => {
    const model = await load(readFileSync(sample));
    const [name, weight] = [...model.graph.constants].find(([, { shape }]) => shape.length === 4)!;
    const poisoned = (weight.data as Float32Array).slice();
    poisoned[0] = NaN;
    const constants = new Map(model.graph.constants).set(name, { ...weight, data: poisoned });
    writeFileSync(path("nan.onnx"), save(new Model("float", { ...model.graph, constants }, {})));
    const { code, message } = failing("nan.onnx", "pictures");
    expect(["input", "non-finite"]).toContain(code); // a fused clamp may swallow the NaN before it is observed
    expect(message).toMatch(/NaN|non-finite/);
  });
});

it("Ctrl-C during the calibration exits with 130 and leaves no file", async () => {
  mkdirSync(path("many"));
  writeFileSync(path("many/0.png"), "broken");
  const picture = readFileSync(path("pictures/00.png"));
  for (let index = 1; index <= 200; index++) writeFileSync(path(`many/${index}.png`), picture);
  const before = readdirSync(folder).sort();
  const options = [...data("many"), "--out", "late.onnx", "--json"];
  const child = spawn(process.execPath, [program, "quantize", sample, ...options], { cwd: folder });
  let stdout = "";
  child.stdout.on("data", (text: Buffer) => (stdout += text.toString()));
  const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
  // The first picture is broken: the note about it says that the calibration has begun.
  let stderr = "";
  await new Promise<void>((resolve) =>
    child.stderr.on("data", (text: Buffer) => {
      stderr += text.toString();
      if (stderr.includes("skipped: ")) resolve();
    }),
  );
  child.kill("SIGINT");
  expect(await ended).toBe(130);
  expect(JSON.parse(stdout)).toMatchObject({ error: { code: "interrupted" } });
  expect(readdirSync(folder).sort()).toEqual(before);
});

it("what the driver prints on stderr is not taken for ours", () => {
  const mesa = "MESA: warning: lavapipe is not a conformant vulkan implementation";
  expect(withoutDriver(`${mesa}\nWARNING: lavapipe is for testing only\nskipped: x\n`)).toBe(
    "skipped: x\n",
  );
});

describe("train", () => {
  const common = () => [
    ...["train", sample, ...data(), "--labels", path("labels.json"), "--batch", "4"],
    ...["--qat", "--augment", "flip,crop:2", "--seed", "5"],
  ];

  it("writes an int8 model; killed and started again, the same bytes", async () => {
    const whole = runJson(...common(), "--epochs", "2", "--out", path("whole.onnx"));
    expect(whole.status).toBe(0);
    expect(whole.stderr).toMatch(/^epoch 1: loss .*\nepoch 2: loss .*\n$/);
    expect(whole.json).toMatchObject({ stopped: false, steps: 6, top1Before: null });
    expect((await load(readFileSync(path("whole.onnx")))).stage).toBe("quantized");

    const again = [
      ...common(),
      ...["--epochs", "2", "--out", path("again.onnx")],
      ...["--checkpoint", path("run"), "--checkpoint-every", "1"],
    ];
    const killed = spawn(process.execPath, [program, ...again], { cwd: folder, stdio: "ignore" });
    const exit = new Promise((resolve) => killed.on("exit", resolve));
    const kept = () => readdirSync(folder).includes("run") && readdirSync(path("run")).length > 0;
    while (!kept()) await new Promise((resolve) => setTimeout(resolve, 20));
    killed.kill("SIGKILL");
    await exit;
    expect(readdirSync(folder)).not.toContain("again.onnx");
    const resumed = runJson(...again);
    expect([resumed.status, resumed.json["steps"]]).toEqual([0, 6]);
    expect(readFileSync(path("again.onnx")).equals(readFileSync(path("whole.onnx")))).toBe(true);
  });

  it.each([
    [["--qconfig", "int4"], "--qconfig is for --qat"],
    [["--checkpoint-every", "3"], "need --checkpoint FOLDER"],
    [["--augment", "flop"], '--augment takes flip, crop, jitter; got "flop"'],
    [["--optimizer", "rmsprop"], "--optimizer must be one of sgd, adam, adamw"],
    [["--learning-rate", "fast"], '--learning-rate must be a number of at least 0; got "fast"'],
    [["--freeze", "nothing.*", "--batch", "4"], 'groups "nothing.*": it must name a parameter'],
  ])("refuses %j", (more, problem) => {
    const given = ["train", sample, ...data(), "--labels", path("labels.json"), "--epochs", "1"];
    const { status, stderr } = run(...given, "--out", path("no.onnx"), ...more);
    expect(status).not.toBe(0);
    expect(stderr).toContain(problem);
    expect(readdirSync(folder)).not.toContain("no.onnx");
  });
});
