// jax-js as a contestant: its ONNX loader, compiled with its jit, on its WebGPU backend. An optional peer:
// npm install --no-save @jax-js/onnx @jax-js/jax. Its loader (0.1.2) knows neither BatchNormalization nor
// GlobalAveragePool, so it gets the same network with the first folded and the second as a ReduceMean.

import { load, Model, save } from "../../src/index.ts";
import type { Graph } from "../../src/graph/graph.ts";
import type { Node } from "../../src/graph/node.ts";
import { fuse } from "../../src/quantize/fuse.ts";
import { float32, type Tensors } from "../../src/tensor/tensor.ts";
import type { Runtime } from "../core/platform.ts";

/** An array on the device. A function that takes one consumes it. */
interface JaxArray {
  readonly shape: number[];
  data(): Promise<ArrayLike<number>>;
}

/** A network, or that compiled. */
type Forward = (inputs: Record<string, JaxArray>) => Record<string, JaxArray>;

/** What is used of `@jax-js/onnx` and `@jax-js/jax`. */
export interface JaxJs {
  readonly ONNXModel: new (file: Uint8Array) => { readonly run: Forward; dispose(): void };
  readonly numpy: { array(data: Float32Array, options: { shape: number[] }): JaxArray };
  init(device: "webgpu"): Promise<string[]>;
  defaultDevice(device: "webgpu"): string;
  jit(run: Forward): Forward & { dispose(): void };
}

function spell(node: Node): Node {
  if (node.op !== "GlobalAveragePool") return node;
  return { ...node, op: "ReduceMean", axes: [2, 3], keepdims: true };
}

/** The file of the same network, in words that jax-js knows. */
async function inItsWords(file: Uint8Array): Promise<Uint8Array> {
  const { graph } = await load(file);
  const fused: Graph = fuse(graph);
  return save(new Model("float", { ...fused, nodes: fused.nodes.map(spell) }, {}));
}

export function jaxJs(jax: JaxJs): Runtime {
  return {
    name: "jax-js",
    takes: ["float32"],
    async open(file) {
      const devices = await jax.init("webgpu");
      if (!devices.includes("webgpu")) throw new Error("bench: jax-js found no WebGPU here.");
      jax.defaultDevice("webgpu");
      const model = new jax.ONNXModel(await inItsWords(file));
      const run = jax.jit(model.run);
      return {
        async run(inputs: Tensors): Promise<Tensors> {
          const feeds = Object.entries(inputs).map(([name, { data, shape }]) => [
            name,
            jax.numpy.array(data as Float32Array, { shape: [...shape] }),
          ]);
          const outputs = run(Object.fromEntries(feeds) as Record<string, JaxArray>);
          const read = Object.entries(outputs).map(async ([name, array]) => {
            const { shape } = array; // data() consumes the array
            return [name, float32(shape, await array.data())];
          });
          return Object.fromEntries(await Promise.all(read)) as Tensors;
        },
        dispose() {
          run.dispose();
          model.dispose();
        },
      };
    },
  };
}
