// Where the axes of a value went on their way through reshapes and transposes. One idea: an axis is a list of
// atoms, outermost first, and a movement only regroups or permutes them; so any chain that puts heads aside is
// recognised by where its atoms end, however an exporter spells it.

import type { Node } from "../node.ts";
import type { Dim } from "../value.ts";

/** What an axis of a product's operand is for: leading axes, rows, and the axis along which words lie; or
 *  `pick`, one of several tensors that lie in one. */
export type Role = "lead" | "row" | "depth" | "pick";

export interface Atom {
  readonly role: Role;
  readonly size: Dim;
  /** Elements of its role from one of its steps to the next: orders the atoms of a role. */
  readonly stride: number;
  /** Of a pick: which one it is. */
  readonly index?: number;
}

/** The atoms of each axis of a value. Axes of size 1 have none. */
export type Axes = readonly (readonly Atom[])[];

/** Axes of `shape`, each of one role; leading axes are strides of one another. Undefined where a size that
 *  must be known is not. */
export function atomsOf(shape: readonly Dim[], roles: readonly Role[]): Axes | undefined {
  const axes: Atom[][] = [];
  const strides = new Map<Role, number>();
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const [size, role] = [shape[axis] ?? 1, roles[axis] ?? "lead"];
    const stride = strides.get(role) ?? 1;
    if (Number.isNaN(stride)) return undefined;
    axes.unshift(size === 1 ? [] : [{ role, size, stride }]);
    strides.set(role, typeof size === "number" ? stride * size : NaN);
  }
  return axes;
}

/** The same atoms, in their order, as the axes of `shape`; one is split where an axis ends within it.
 *  Undefined where no split fits. */
export function regroup(axes: Axes, shape: readonly Dim[]): Axes | undefined {
  const rest = axes.flat();
  const grouped: Atom[][] = [];
  for (const dim of shape) {
    const group: Atom[] = [];
    grouped.push(group);
    if (dim === 1) continue;
    const whole = rest[0];
    if (whole?.size === dim) {
      group.push(whole);
      rest.shift();
      continue;
    }
    if (typeof dim === "string") return undefined;
    let missing = dim;
    while (missing > 1) {
      const next = rest.shift();
      if (next === undefined || typeof next.size !== "number") return undefined;
      const { size, stride } = next;
      if (missing % size === 0) {
        group.push(next);
        missing /= size;
      } else if (size % missing === 0) {
        group.push({ ...next, size: missing, stride: stride * (size / missing) });
        rest.unshift({ ...next, size: size / missing });
        missing = 1;
      } else return undefined;
    }
  }
  return rest.length === 0 ? grouped : undefined;
}

/** Axes of the input of a movement, from those of its output number `output`. */
export function before(
  node: Node,
  output: number,
  axes: Axes,
  input: readonly Dim[],
  shape: readonly Dim[],
): Axes | undefined {
  switch (node.op) {
    case "Identity":
      return axes;
    case "Transpose": {
      const moved: (readonly Atom[])[] = [];
      node.perm.forEach((axis, at) => (moved[axis] = axes[at] ?? []));
      return moved;
    }
    case "Reshape":
    case "Flatten":
    case "Squeeze":
    case "Unsqueeze":
      return regroup(axes, input);
    case "Split": {
      const size = shape[node.axis];
      if (node.sizes.some((each) => each !== size)) return undefined;
      const pick: Atom = { role: "pick", size: node.sizes.length, stride: 1, index: output };
      return axes.map((atoms, axis) => (axis === node.axis ? [pick, ...atoms] : atoms));
    }
    default:
      return undefined;
  }
}

/** Axes of the output of a movement, from those of its input. */
export function behind(node: Node, axes: Axes, output: readonly Dim[]): Axes | undefined {
  switch (node.op) {
    case "Identity":
      return axes;
    case "Transpose":
      return node.perm.map((axis) => axes[axis] ?? []);
    case "Reshape":
    case "Flatten":
    case "Squeeze":
    case "Unsqueeze":
      return regroup(axes, output);
    default:
      return undefined;
  }
}

/** `atoms` in runs of one role, each role's in its own order; undefined where it is not. */
export function runsOf(atoms: readonly Atom[]): readonly (readonly Atom[])[] {
  const runs: Atom[][] = [];
  for (const atom of atoms) {
    const run = runs.at(-1);
    if (run?.[0]?.role === atom.role) run.push(atom);
    else runs.push([atom]);
  }
  return runs;
}

/** Whether the atoms of each role follow one another as they did in the operand. */
export function inOrder(atoms: readonly Atom[]): boolean {
  const last = new Map<Role, number>();
  return atoms.every(({ role, stride }) => {
    const fits = stride < (last.get(role) ?? Infinity);
    last.set(role, stride);
    return fits;
  });
}

/** Elements that atoms stand for: a number, or a name where there is one; undefined for more. */
export function sizeOfAtoms(atoms: readonly Atom[]): Dim | undefined {
  const names = atoms.flatMap(({ size }) => (typeof size === "string" ? [size] : []));
  const known = atoms.reduce((sum, { size }) => (typeof size === "number" ? sum * size : sum), 1);
  if (names.length === 0) return known;
  return names.length === 1 && known === 1 ? names[0] : undefined;
}
