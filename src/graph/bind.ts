// Symbolic sizes become numbers: a graph with "batch" is made concrete before it is lowered, and
// every shape is inferred again, so one graph serves every batch size.

import { InputError } from "../errors.ts";
import { formatShape } from "../tensor/tensor.ts";
import { valueOf, type Graph } from "./graph.ts";
import { inferShapes } from "./shapes.ts";
import type { Dim, Value } from "./value.ts";

/** A value whose sizes are all known. */
export interface BoundValue extends Value {
  readonly shape: readonly number[];
}

/** A graph whose sizes are all known. */
export interface BoundGraph extends Graph {
  readonly values: ReadonlyMap<string, BoundValue>;
}

/** The sizes of the symbolic dims that make the graph's inputs fit `shapes`. */
export function matchDims(
  graph: Graph,
  shapes: Readonly<Record<string, readonly number[]>>,
): Map<string, number> {
  const dims = new Map<string, number>();
  for (const input of graph.inputs) {
    const want = valueOf(graph, input).shape;
    const got = shapes[input];
    if (got === undefined) {
      throw new InputError(
        `input "${input}" is missing; got ${Object.keys(shapes).join(", ") || "none"}. ` +
          `Pass a tensor of shape ${formatShape(want)} under that name.`,
      );
    }
    const fits =
      want.length === got.length &&
      want.every((dim, axis) => {
        const size = got[axis] ?? -1;
        const known = typeof dim === "number" ? dim : dims.get(dim);
        if (known === undefined && typeof dim === "string") dims.set(dim, size);
        return known === undefined || known === size;
      });
    if (!fits) {
      throw new InputError(
        `input "${input}": shape must be ${formatShape(want)}; got ${formatShape(got)}. ` +
          `Reshape or resize the data to fit the model.`,
      );
    }
  }
  return dims;
}

/** `graph` with symbolic sizes replaced by `dims` and every shape inferred again. */
export function bindShapes(graph: Graph, dims: ReadonlyMap<string, number>): BoundGraph {
  const bind = (dim: Dim): number => {
    const size = typeof dim === "number" ? dim : dims.get(dim);
    if (size !== undefined) return size;
    throw new InputError(
      `size "${dim}" is unknown; got sizes for ${[...dims.keys()].join(", ") || "none"}. ` +
        `Give it when loading: load(bytes, { dims: { ${dim}: 1 } }).`,
    );
  };
  const values = new Map<string, BoundValue>();
  for (const name of [...graph.inputs, ...graph.constants.keys()]) {
    const value = valueOf(graph, name);
    values.set(name, { ...value, shape: value.shape.map(bind) });
  }
  for (const node of graph.nodes) {
    const shapes = inferShapes(
      node.op === "Reshape" || node.op === "Expand"
        ? { ...node, shape: node.shape.map((dim) => (typeof dim === "string" ? bind(dim) : dim)) }
        : node,
      node.inputs.map((name) => valueOf({ ...graph, values }, name).shape),
    );
    node.outputs.forEach((name, index) => {
      values.set(name, { ...valueOf(graph, name), shape: (shapes[index] ?? []).map(bind) });
    });
  }
  return { ...graph, values };
}
