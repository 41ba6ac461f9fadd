// The encoder of BERT-base, random weights: ours and every peer, float and dynamically quantized by this
// library in onnxruntime's operators (DynamicQuantizeLinear, MatMulInteger), so that each runs the same file.

import { exportOnnx } from "../../src/formats/onnx/index.ts";
import { load, quantizeDynamic, save, type Model } from "../../src/index.ts";
import type { BenchOptions } from "../core/options.ts";
import type { Platform, Runtime } from "../core/platform.ts";
import { random } from "../core/random.ts";
import type { ModelRow } from "../core/rows.ts";
import { BERT_BASE, bertEncoder } from "../models/bert.ts";
import { WEIGHT_SEED, type BenchModel } from "../models/models.ts";
import { benchModel } from "./models.ts";

/** Both forms of the encoder. */
export async function makeTransformer(layers: number): Promise<BenchModel> {
  const float = exportOnnx(bertEncoder(random(WEIGHT_SEED), { ...BERT_BASE, layers }));
  const model = (await load(float)) as Model<"float">;
  const int8 = save(quantizeDynamic(model));
  return { title: `BERT-base encoder, ${layers} layers`, float, int8 };
}

/** Peers that leave integer models out elsewhere take this one, where they can run it at all. */
function takesAll(runtime: Runtime): Runtime {
  return { ...runtime, takes: ["float32", "int8"] };
}

export async function benchTransformer(
  platform: Platform,
  options: BenchOptions,
): Promise<ModelRow[]> {
  platform.say(`transformer: building ${options.layers} layers`);
  const model = await makeTransformer(options.layers);
  const runtimes = platform.runtimes
    .filter(({ name }) => name === "ours" || name.startsWith("ort-"))
    .map(takesAll);
  return await benchModel(model, 1, { ...platform, runtimes }, options);
}
