// An input that is the same number everywhere: a state's zeros, a mask of ones. One idea: the sizes that a
// model leaves open are those of the tensors beside it.

import { InputError } from "./errors.ts";
import { valueOf, type Graph } from "./graph/graph.ts";
import { allocate } from "./tensor/dtype.ts";
import { sizeOf, tensor, type Tensor, type Tensors } from "./tensor/tensor.ts";

/** Input `name` of `graph`, filled with `value`. Throws InputError where a size of it is the size of none of
 *  `tensors`. */
export function filledInput(graph: Graph, name: string, value: 0 | 1, tensors: Tensors): Tensor {
  const sizes = new Map<string, number>();
  for (const [input, { shape }] of Object.entries(tensors)) {
    if (!graph.inputs.includes(input)) continue;
    valueOf(graph, input).shape.forEach((dim, axis) => {
      if (typeof dim === "string") sizes.set(dim, shape[axis] ?? 0);
    });
  }
  const { dtype, shape } = valueOf(graph, name);
  const known = shape.map((dim) => {
    const size = typeof dim === "number" ? dim : sizes.get(dim);
    if (size !== undefined) return size;
    throw new InputError(
      `input "${name}": its size "${dim}" is the size of no other input. ` +
        `Give it when loading: load(bytes, { dims: { ${dim}: 1 } }).`,
    );
  });
  const data = allocate(dtype, sizeOf(known));
  if (data instanceof BigInt64Array) data.fill(BigInt(value));
  else data.fill(value);
  return tensor(dtype, known, data);
}
