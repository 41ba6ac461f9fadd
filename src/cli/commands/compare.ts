// compare: where a quantized model loses, layer by layer.

import { compare as compareModels } from "../../compare.ts";
import type { Model } from "../../model.ts";
import { requestDevice } from "../../node.ts";
import { adapterName, type Command } from "../context.ts";
import type { LoadedModel } from "../files.ts";
import { layersJson, layersTable } from "../layers.ts";
import { MODEL_OPTIONS, openModels } from "../modelOptions.ts";
import { readNonFinite } from "../nonFinite.ts";
import { readSamples, SAMPLE_OPTIONS } from "../samples.ts";
import { facts } from "../table.ts";

export const compare: Command = {
  name: "compare",
  summary: "Show each layer's error (SQNR) against the float model, worst first.",
  positionals: ["FLOAT", "QUANTIZED"],
  options: [
    ...SAMPLE_OPTIONS,
    { name: "limit", value: "N", help: "At most N of the samples, spread evenly. Default: all." },
    ...MODEL_OPTIONS,
  ],
  examples: [
    "webgpu-quant compare model.onnx model-int8.onnx --data pictures/ --preprocess imagenet --limit 16",
    "webgpu-quant compare bert.onnx bert-int8.onnx --inputs samples.npz",
  ],
  async run(args, context) {
    const limit = args.integer("limit", 1);
    const paths = [args.positional("FLOAT"), args.positional("QUANTIZED")];
    const [float, quantized] = (await openModels(args, context, paths)) as [
      LoadedModel,
      LoadedModel,
    ];
    const data = await readSamples(args, float.model, context, limit);
    using device = await requestDevice();
    const layers = await compareModels(
      float.model as Model<"float">, // compare checks both stages
      quantized.model as Model<"quantized">,
      data.open(),
      {
        device,
        ...readNonFinite(args),
        signal: context.signal,
        total: data.total,
        onProgress: ({ samples, total }) => context.progress.report("compare", samples, total),
      },
    );
    context.progress.clear();
    const { skipped } = data;
    const count = data.total - skipped.length;
    return {
      json: {
        nodes: layersJson(layers),
        count,
        skipped: skipped.length,
        skippedPictures: skipped,
        adapter: device.facts,
      },
      text: [
        layersTable(layers, layers.length),
        facts([
          [data.noun, `${count}${skipped.length ? `, ${skipped.length} skipped` : ""}`],
          ["adapter", adapterName(device.facts)],
        ]),
      ].join("\n\n"),
    };
  },
};
