// ONNX Runtime as a contestant: onnxruntime-web and onnxruntime-node share one interface. Inputs come
// from the host and outputs go back to it, as ours do.

import type { InferenceSession, Tensor as OrtTensor, TypedTensor } from "onnxruntime-common";
import { tensor, type Tensors } from "../../src/tensor/tensor.ts";
import type { Precision, Runtime } from "../core/platform.ts";

/** The part of `onnxruntime-web` and `onnxruntime-node` that is used here. */
export interface Ort {
  readonly InferenceSession: {
    create(file: Uint8Array, options: InferenceSession.SessionOptions): Promise<InferenceSession>;
  };
  readonly Tensor: new (
    type: "float32",
    data: Float32Array,
    dims: readonly number[],
  ) => TypedTensor<"float32">;
}

function toOurs(output: OrtTensor, name: string) {
  const { data, dims, type } = output;
  if (type === "float32") return tensor("float32", dims, data as Float32Array);
  throw new Error(`bench: output "${name}" must be float32; got ${type}. Cut the model before it.`);
}

/** ONNX Runtime with one execution provider; `load` is called when the first model is opened. */
export function onnxRuntime(
  name: string,
  provider: string,
  takes: readonly Precision[],
  load: () => Promise<Ort>,
  graphOptimizationLevel: "all" | "disabled" = "all",
): Runtime {
  return {
    name,
    takes,
    async open(file) {
      const ort = await load();
      const session = await ort.InferenceSession.create(file, {
        executionProviders: [provider],
        graphOptimizationLevel,
        // Waiting threads would steal the cores from who is next.
        extra: { session: { intra_op: { allow_spinning: "0" } } },
        logSeverityLevel: 3, // errors: nodes left on the CPU are worth a warning, not thousands
      });
      return {
        async run(inputs: Tensors): Promise<Tensors> {
          const feeds = Object.fromEntries(
            Object.entries(inputs).map(([input, { data, shape }]) => [
              input,
              new ort.Tensor("float32", data as Float32Array, shape),
            ]),
          );
          const outputs = await session.run(feeds);
          return Object.fromEntries(
            Object.entries(outputs).map(([output, value]) => [output, toOurs(value, output)]),
          );
        },
        dispose: () => session.release(),
      };
    },
  };
}
