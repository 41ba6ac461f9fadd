// Passes build their output graph with this: values are typed as nodes are added, so a pass cannot
// leave one without a shape.

import type { Tensor } from "../tensor/tensor.ts";
import { valueOf, type Graph } from "./graph.ts";
import { carrierOf } from "./dtypes.ts";
import type { Node } from "./node.ts";
import { fixedTypes, inferShapes } from "./shapes.ts";
import type { QParams, Value } from "./value.ts";

export class GraphBuilder {
  readonly values = new Map<string, Value>();
  readonly constants = new Map<string, Tensor>();
  readonly variables = new Map<string, Tensor>();
  readonly nodes: Node[] = [];
  #names = new Set<string>();
  /** The next number to try of each name that was wanted: names that many want are found in constant time. */
  readonly #counts = new Map<string, number>();

  /** Start from `base`'s inputs, constants and variables, without its nodes. */
  static from(base: Graph): GraphBuilder {
    const builder = new GraphBuilder();
    for (const name of base.inputs) builder.input(name, valueOf(base, name));
    for (const [name, data] of base.constants) {
      builder.constant(name, data, valueOf(base, name).quant);
    }
    for (const [name, data] of base.variables ?? []) builder.variable(name, data);
    // Names of values that a pass may re-create later must not be handed out as fresh ones.
    for (const name of base.values.keys()) builder.#names.add(name);
    for (const node of base.nodes) builder.#names.add(node.name);
    return builder;
  }

  /** A name that is not in use: `wanted`, or `wanted_1`, `wanted_2`, … */
  fresh(wanted: string): string {
    let name = wanted;
    let count = this.#counts.get(wanted) ?? 1;
    while (this.#names.has(name)) name = `${wanted}_${count++}`;
    this.#counts.set(wanted, count);
    this.#names.add(name);
    return name;
  }

  input(name: string, value: Value): string {
    this.#names.add(name);
    this.values.set(name, value);
    return name;
  }

  constant(name: string, data: Tensor, quant?: QParams): string {
    this.#names.add(name);
    this.constants.set(name, data);
    this.values.set(name, { dtype: data.dtype, shape: data.shape, ...(quant ? { quant } : {}) });
    return name;
  }

  /** What starts as `data` and lives from run to run. */
  variable(name: string, data: Tensor): string {
    this.#names.add(name);
    this.variables.set(name, data);
    this.values.set(name, { dtype: data.dtype, shape: data.shape });
    return name;
  }

  /** Add `node`; its outputs take `dtype` (default: what the op decides, or that of `carrierOf`) and
   *  `quant`. */
  add(node: Node, type: { dtype?: Value["dtype"]; quant?: QParams } = {}): string {
    const inputs = node.inputs.map((name) => this.value(name));
    const shapes = inferShapes(
      node,
      inputs.map((value) => value.shape),
    );
    this.#names.add(node.name);
    this.nodes.push(node);
    node.outputs.forEach((name, index) => {
      this.#names.add(name);
      const fixed = fixedTypes(node)?.[index];
      const carried = inputs[carrierOf(node)]?.dtype;
      const own = carried === "float16" ? "float32" : carried;
      const dtype = fixed ?? type.dtype ?? type.quant?.dtype ?? own ?? "float32";
      this.values.set(name, {
        dtype,
        shape: shapes[index] ?? [],
        ...(type.quant ? { quant: type.quant } : {}),
      });
    });
    return node.outputs[0] ?? "";
  }

  value(name: string): Value {
    const value = this.values.get(name);
    if (value === undefined) throw new Error(`builder: no value "${name}"; please report.`);
    return value;
  }

  build(name: string, inputs: readonly string[], outputs: readonly string[]): Graph {
    const { nodes, values, constants, variables } = this;
    const kept = variables.size > 0 ? { variables } : {};
    return { name, inputs, outputs, nodes, values, constants, ...kept };
  }
}
