// run: a model on arrays: .npy files in, .npy files out.

import { compile } from "../../compile.ts";
import { InputError } from "../../errors.ts";
import { requestDevice } from "../../node.ts";
import { formatNpy, parseNpy } from "../../tensor/npy.ts";
import { formatShape, type Tensor } from "../../tensor/tensor.ts";
import type { Arguments } from "../arguments.ts";
import { adapterName, type Command } from "../context.ts";
import { readInput } from "../files.ts";
import { MODEL_OPTIONS, openModel } from "../modelOptions.ts";
import { checkOutput, writeOutput } from "../outputs.ts";
import { readNonFinite } from "../nonFinite.ts";
import { facts, formatMs, table } from "../table.ts";
import { readTuning, TUNING_OPTION } from "../tuning.ts";

export const run: Command = {
  name: "run",
  summary: "Run a model on NumPy arrays.",
  positionals: ["MODEL"],
  options: [
    {
      name: "input",
      value: "[NAME=]X.npy",
      required: true,
      multiple: true,
      help: "The array of an input; NAME= where the model has several.",
    },
    {
      name: "out",
      value: "[NAME=]Y.npy",
      required: true,
      multiple: true,
      help: "The file for an output; NAME= where the model has several.",
    },
    ...MODEL_OPTIONS,
    TUNING_OPTION,
  ],
  examples: [
    "webgpu-quant run model.onnx --input x.npy --out y.npy",
    "webgpu-quant run model.onnx --input a=a.npy --input b=b.npy --out sum=y.npy",
  ],
  async run(args, context) {
    const { signal } = context;
    const { files: read, model } = await openModel(args, context);
    const tuning = await readTuning(args, signal);
    const files = pair(args, "input", Object.keys(model.inputs));
    const outs = pair(args, "out", Object.keys(model.outputs));
    const check = { inputs: [...read, ...files.values()] };
    for (const out of outs.values()) await checkOutput("--out", out, check, context);
    const inputs = Object.create(null) as Record<string, Tensor>; // "__proto__" may be a name
    for (const [name, file] of files)
      inputs[name] = parseNpy(await readInput("--input", file, signal));
    using device = await requestDevice();
    using session = await compile(model, device, tuning);
    await session.program(inputs); // compile outside the clock
    const start = performance.now();
    const outputs = await session.run(inputs, { signal, ...readNonFinite(args) });
    const latencyMs = performance.now() - start;
    const rows: string[][] = [];
    const json = Object.create(null) as Record<string, object>; // "__proto__" may be a name
    for (const [name, file] of outs) {
      const output = outputs[name];
      if (!output) throw new InputError(`run: the model has no output "${name}". Please report.`);
      await writeOutput(file, formatNpy(output), context);
      const { dtype, shape } = output;
      rows.push([name, dtype, formatShape(shape), file]);
      json[name] = { dtype, shape, out: file };
    }
    return {
      json: { outputs: json, latencyMs, adapter: device.facts },
      text: [
        table([["output", "dtype", "shape", "written"], ...rows]),
        facts([
          ["latency", formatMs(latencyMs)],
          ["adapter", adapterName(device.facts)],
        ]),
      ].join("\n\n"),
    };
  },
};

/** `--option [NAME=]FILE` → name → file. Without a name it is the only port. */
function pair(
  args: Arguments,
  option: "input" | "out",
  names: readonly string[],
): Map<string, string> {
  const files = new Map<string, string>();
  const known = names.map((name) => `"${name}"`).join(", ");
  for (const text of args.list(option)) {
    const name = names.find((candidate) => text.startsWith(`${candidate}=`));
    const only = names.length === 1 ? names[0] : undefined;
    const port = name ?? only;
    if (port === undefined)
      args.fail(
        `--${option} must be NAME=FILE, the model has ${known}; got ${JSON.stringify(text)}`,
      );
    if (files.has(port)) args.fail(`--${option} for "${port}" is given twice`);
    files.set(port, name === undefined ? text : text.slice(name.length + 1));
  }
  const missing = option === "input" ? names.find((name) => !files.has(name)) : undefined;
  if (missing !== undefined)
    args.fail(`--input ${missing}=X.npy is missing; the model has ${known}`);
  return files;
}
