// The command line without a device: help, versions, usage errors, inspect, and errors as JSON.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { commands, cli } from "../../../src/cli/cli.ts";
import { Capture, runCli } from "./terminal.ts";

const sample = fileURLToPath(new URL("../../../demo/sample/model.onnx", import.meta.url));

it("--version is the package's", async () => {
  const file = readFileSync(new URL("../../../package.json", import.meta.url), "utf8");
  const { version } = JSON.parse(file) as { version: string };
  expect(await runCli("--version")).toEqual({ status: 0, stdout: `${version}\n`, stderr: "" });
});

it("--help lists every command, on stdout", async () => {
  const { status, stdout, stderr } = await runCli("--help");
  for (const { name, summary } of commands) {
    expect(stdout).toContain(name);
    expect(stdout).toContain(summary);
  }
  expect([status, stderr]).toEqual([0, ""]);
});

it.each(commands.map(({ name }) => name))(
  "%s --help tells its options and examples",
  async (name) => {
    const { status, stdout, stderr } = await runCli(name, "--help");
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).toContain(`Usage: webgpu-quant ${name}`);
    expect(stdout).toMatch(/Examples:\n {2}webgpu-quant /);
    expect(await runCli("help", name)).toEqual({ status, stdout, stderr });
  },
);

it("every example in the help can be parsed", async () => {
  const { parseArguments } = await import("../../../src/cli/arguments.ts");
  for (const command of commands) {
    for (const example of command.examples) {
      const [program, name, ...argv] = example.replaceAll('"', "").split(" ");
      expect([program, name]).toEqual(["webgpu-quant", command.name]);
      expect(() => parseArguments(command, argv)).not.toThrow();
    }
  }
});

it("wrong usage exits with 2 and says so on stderr only", async () => {
  expect(await runCli("quantise")).toMatchInlineSnapshot(`
    {
      "status": 2,
      "stderr": "webgpu-quant: unknown command "quantise"; known are doctor, inspect, quantize, train, export, evaluate, compare, tune, run. Did you mean quantize? Try: webgpu-quant --help
    ",
      "stdout": "",
    }
  `);
  expect(await runCli()).toMatchObject({ status: 2, stdout: "" });
  const data = ["--data", "d", "--preprocess", "tf", "--out", "o.onnx"];
  const { status, stderr } = await runCli("quantize", sample, ...data, "--qconfig", "int3");
  expect([status, stderr]).toMatchInlineSnapshot(`
    [
      2,
      "quantize: --qconfig must be one of int8, int8PerTensor, qnnpack, fbgemm, x86, onednn; got "int3"; did you mean int8? Try: webgpu-quant quantize --help
    ",
    ]
  `);
});

it("with --json errors are one object on stdout, and nothing is on stderr", async () => {
  const failed = await runCli("inspect", "none.onnx", "--json");
  expect(failed).toMatchInlineSnapshot(`
    {
      "status": 1,
      "stderr": "",
      "stdout": "{"error":{"code":"input","message":"model \\"none.onnx\\": no such file or folder. Check the path."}}
    ",
    }
  `);
  const wrong = await runCli("inspect", "--json");
  expect(JSON.parse(wrong.stdout)).toMatchObject({ error: { code: "usage" } });
  expect([wrong.status, wrong.stderr]).toEqual([2, ""]);
});

it("inspect describes the sample in words and in JSON", async () => {
  const { status, stdout } = await runCli("inspect", sample);
  expect(status).toBe(0);
  expect(stdout).toContain("images: float32 [batch, 3, 48, 48]");
  const json = await runCli("inspect", sample, "--json");
  expect(JSON.parse(json.stdout)).toMatchObject({
    stage: "float",
    bytes: readFileSync(sample).length,
    integerMacShare: 1,
    ops: { Gemm: 1 },
    float: [],
  });
});

it("a file that is no ONNX model is a format error", async () => {
  const json = fileURLToPath(new URL("../../../package.json", import.meta.url));
  const { status, stdout } = await runCli("inspect", json, "--json");
  expect(status).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject({ error: { code: "format" } });
});

it("what is asked of the data is checked before any device is asked for", async () => {
  const base = ["quantize", sample, "--data", "none", "--out", "o.onnx", "--preprocess"];
  expect((await runCli(...base, "caffe")).stderr).toMatchInlineSnapshot(`
    "--preprocess must be one of imagenet, tf or a JSON file; "caffe": no such file or folder. Check the path.
    "
  `);
  expect((await runCli(...base, "tf")).stderr).toMatchInlineSnapshot(`
    "--data "none": no such file or folder. Check the path.
    "
  `);
  const both = await runCli(...base, "tf", "--every", "5", "--except-every", "5");
  expect([both.status, both.stderr]).toMatchInlineSnapshot(`
    [
      2,
      "quantize: --every and --except-every exclude each other. Try: webgpu-quant quantize --help
    ",
    ]
  `);
});

it("after Ctrl-C the status is 130 and the message says that nothing was half written", async () => {
  const stderr = new Capture();
  const status = await cli(["inspect", "none.onnx"], {
    stdout: new Capture(),
    stderr,
    signal: AbortSignal.abort(),
  });
  expect([status, stderr.text]).toMatchInlineSnapshot(`
    [
      130,
      "interrupted: the work was stopped and no file was left half written.
    ",
    ]
  `);
});
