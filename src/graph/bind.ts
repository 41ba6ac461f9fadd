// Symbolic sizes become numbers: a graph with "batch" is made concrete before it is lowered, and
// every shape is inferred again, so one graph serves every batch size.

import { InputError } from "../errors.ts";
import { checkNames, listNames, nearestName, kindOf } from "../text/names.ts";
import { formatShape, type Tensor } from "../tensor/tensor.ts";
import { solveDim, substitute } from "./dims.ts";
import { valueOf, type Graph } from "./graph.ts";
import type { Node } from "./node.ts";
import { inferShapes, nodeError } from "./shapes.ts";
import type { Dim, Value } from "./value.ts";

/** A value whose sizes are all known. */
export interface BoundValue extends Value {
  readonly shape: readonly number[];
}

/** A graph whose sizes are all known. */
export interface BoundGraph extends Graph {
  readonly values: ReadonlyMap<string, BoundValue>;
}

/** The sizes of the symbolic dims that make the graph's inputs fit `tensors`, which must be its inputs and no
 *  others. */
export function matchDims(
  graph: Graph,
  tensors: Readonly<Record<string, { readonly shape: readonly number[] }>>,
): Map<string, number> {
  checkTensors(graph, tensors);
  const dims = new Map<string, number>();
  const given = Object.keys(tensors);
  for (const input of graph.inputs) {
    const want = valueOf(graph, input).shape;
    const got = Object.hasOwn(tensors, input) ? tensors[input]?.shape : undefined;
    if (got === undefined) {
      const others = given.filter((name) => !graph.inputs.includes(name));
      const near = nearestName(input, others);
      const what = near === undefined ? "a tensor" : `what came as "${near}", a tensor`;
      throw new InputError(
        `input "${input}" is missing; got ${listNames(given)}. ` +
          `Pass ${what} of shape ${formatShape(want)} under that name.`,
      );
    }
    const fits =
      want.length === got.length &&
      want.every((dim, axis) => {
        const size = got[axis] ?? -1;
        const known = substitute(dim, dims);
        if (typeof known === "number") return known === size;
        const solved = solveDim(known, size, dims);
        if (solved) dims.set(solved.name, solved.size);
        return solved !== undefined;
      });
    if (!fits) {
      throw new InputError(
        `input "${input}": shape must be ${formatShape(want)}; got ${formatShape(got)}. ` +
          `Reshape or resize the data to fit the model.`,
      );
    }
  }
  checkNames("inputs", "input", given, graph.inputs);
  return dims;
}

/** Throws InputError unless `tensors` is an object of tensors by name: JavaScript may pass anything. */
function checkTensors(graph: Graph, tensors: unknown): void {
  const [first = "x"] = graph.inputs;
  if (typeof tensors !== "object" || tensors === null || Array.isArray(tensors)) {
    throw new InputError(
      `run: inputs must be an object of tensors by name; got ${kindOf(tensors)}. ` +
        `Pass { ${first}: tensor(dtype, shape, data) }.`,
    );
  }
  for (const [name, value] of Object.entries(tensors) as [string, Partial<Tensor> | undefined][]) {
    if (value === undefined) continue; // missing, told by matchDims
    if (Array.isArray(value?.shape) && ArrayBuffer.isView(value.data)) continue;
    throw new InputError(
      `input "${name}": must be a tensor, { dtype, shape, data }; got ${kindOf(value)}. ` +
        `Make it with tensor(dtype, shape, data).`,
    );
  }
}

/** `graph` with symbolic sizes replaced by `dims` and every shape inferred again. */
export function bindShapes(graph: Graph, dims: ReadonlyMap<string, number>): BoundGraph {
  const bind = (dim: Dim): number => {
    const size = substitute(dim, dims);
    if (typeof size === "number") return size;
    throw new InputError(
      `size "${dim}" is unknown; got sizes for ${[...dims.keys()].join(", ") || "none"}. ` +
        `Give it when loading: load(bytes, { dims: { ${dim}: 1 } }).`,
    );
  };
  const values = new Map<string, BoundValue>();
  for (const name of [
    ...graph.inputs,
    ...graph.constants.keys(),
    ...(graph.variables?.keys() ?? []),
  ]) {
    const value = valueOf(graph, name);
    values.set(name, { ...value, shape: value.shape.map(bind) });
  }
  const nodes = graph.nodes.map((node) => bindNode(node, bind));
  for (const node of nodes) {
    const shapes = inferShapes(
      node,
      node.inputs.map((name) => valueOf({ ...graph, values }, name).shape),
    );
    if (node.op === "Slice") checkSlice(graph, node, shapes[0] ?? [], dims);
    node.outputs.forEach((name, index) => {
      values.set(name, { ...valueOf(graph, name), shape: (shapes[index] ?? []).map(bind) });
    });
  }
  return { ...graph, nodes, values };
}

/** `node` with numbers for the sizes that its attributes name; itself where they name none. */
function bindNode(node: Node, bind: (dim: Dim) => number): Node {
  switch (node.op) {
    case "Reshape":
    case "Expand":
      return isOpen(node.shape) ? { ...node, shape: node.shape.map(bind) } : node;
    case "Slice":
      return isOpen(node.starts) || isOpen(node.ends)
        ? { ...node, starts: node.starts.map(bind), ends: node.ends.map(bind) }
        : node;
    default:
      return node;
  }
}

/** A bound that names a size must lie within the axis: a table of 512 positions has no 513th. */
function checkSlice(
  graph: Graph,
  node: Node,
  got: readonly Dim[],
  dims: ReadonlyMap<string, number>,
): void {
  const want = valueOf(graph, node.outputs[0] ?? "").shape.map((dim) => substitute(dim, dims));
  if (want.every((size, axis) => size === got[axis])) return;
  const sizes = [...dims].map(([name, size]) => `${name} ${size}`).join(", ");
  throw nodeError(
    node,
    `the slice must have shape ${formatShape(want)} for ${sizes}`,
    formatShape(got),
    "The model takes no input of these sizes: pass other sizes.",
  );
}

const isOpen = (dims: readonly Dim[]): boolean => dims.some((dim) => typeof dim === "string");
