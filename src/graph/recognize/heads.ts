// The tensor (B, T, heads · d) behind an operand of attention's products, or the one that their result is
// brought into: found by following the atoms of the operand's axes through the movements around it.

import type { Graph } from "../graph.ts";
import { valueOf } from "../graph.ts";
import type { Node } from "../node.ts";
import type { Dim } from "../value.ts";
import { before, behind, inOrder, runsOf, sizeOfAtoms, type Atom, type Axes } from "./atoms.ts";

/** How a value holds rows of heads. */
export interface Rows {
  readonly value: string;
  readonly batch: Dim;
  readonly rows: Dim;
  readonly heads: number;
  /** Elements of a head. */
  readonly depth: number;
  /** Rows come before batches: (T, B, heads · d). */
  readonly rowsFirst: boolean;
  /** One of several tensors that lie side by side in each row. */
  readonly pick?: { readonly index: number; readonly count: number };
  /** The value has three axes as it stands. */
  readonly straight: boolean;
}

const rolesOf = (atoms: readonly Atom[]): string =>
  runsOf(atoms)
    .map(([atom]) => atom?.role)
    .join(" ");

const same = (a: readonly Atom[], b: readonly Atom[]) =>
  a.length === b.length && a.every((atom, at) => atom === b[at]);

/** Leading atoms that are batches and those that are heads, and which of rows and batches comes first;
 *  undefined where the atoms do not lie as rows of heads. */
function partsOf(axes: Axes, wantedHeads: number | undefined) {
  const atoms = axes.flat().filter(({ role }) => role !== "pick");
  const lead = atoms.filter(({ role }) => role === "lead");
  const row = atoms.filter(({ role }) => role === "row");
  const [first = [], second = [], third = []] = axes;
  const inner = third.filter(({ role }) => role === "lead");
  const isRows = axes.length === 3 && /^(pick)? ?(lead)? ?(depth)?$/.test(rolesOf(third));
  // Three axes say themselves which leading atoms are batches, and which axis is that of rows.
  const isLead = (axis: readonly Atom[]) => axis.every(({ role }) => role === "lead");
  if (isRows && isLead(first) && same(second, row))
    return { outer: first, inner, rowsFirst: false, straight: true };
  if (isRows && same(first, row) && isLead(second))
    return { outer: second, inner, rowsFirst: second.length > 0, straight: second.length > 0 };
  if (row.length === 0 || !/^(lead )?row( lead)?( depth)?$/.test(rolesOf(atoms))) return undefined;
  const [before, after] = [atoms.indexOf(row[0] as Atom), lead.length];
  if (before > 0 || wantedHeads === undefined) {
    const parts = { outer: lead.slice(0, before), inner: lead.slice(before, after) };
    return { ...parts, rowsFirst: false, straight: false };
  }
  // Rows, batches, heads: only the other operands tell the last two apart.
  const at = lead.findIndex((_, from) => sizeOfAtoms(lead.slice(from)) === wantedHeads);
  const split = at < 0 ? lead.length : at;
  const parts = { outer: lead.slice(0, split), inner: lead.slice(split) };
  return { ...parts, rowsFirst: split > 0, straight: false };
}

/** Rows of heads, where `axes` are those of a value. */
function rowsOf(value: string, axes: Axes, wantedHeads?: number): Rows | undefined {
  const atoms = axes.flat();
  const [pick, ...others] = atoms.filter(({ role }) => role === "pick");
  const parts = inOrder(atoms) && others.length === 0 ? partsOf(axes, wantedHeads) : undefined;
  if (!parts) return undefined;
  const { outer, inner, rowsFirst } = parts;
  // What is picked must lie side by side in each row.
  const lastRow = atoms.findLastIndex(({ role }) => role === "row");
  if (pick && atoms.indexOf(pick) !== lastRow + 1) return undefined;
  const ofRole = (role: Atom["role"]) => sizeOfAtoms(atoms.filter((atom) => atom.role === role));
  const [batch, heads] = [sizeOfAtoms(outer), sizeOfAtoms(inner)];
  const [rows, depth] = [ofRole("row"), ofRole("depth")];
  if (batch === undefined || rows === undefined) return undefined;
  if (typeof heads !== "number" || typeof depth !== "number") return undefined;
  const found = { value, batch, rows, heads, depth, rowsFirst, straight: parts.straight };
  if (!pick || typeof pick.size !== "number") return found;
  return { ...found, pick: { index: pick.index ?? 0, count: pick.size } };
}

/** The work that bringing rows into (B, T, heads · d) takes: nothing, a reshape, a transpose, a slice. */
export function costOf({ straight, rowsFirst, pick }: Rows): number {
  return (pick ? 4 : 0) + (rowsFirst ? 2 : 0) + (straight ? 0 : 1);
}

/** The one element of a constant float; undefined where `name` is none. */
export function scalarOf(graph: Graph, name: string | undefined): number | undefined {
  const constant = graph.constants.get(name ?? "");
  return constant?.dtype === "float32" && constant.data.length === 1
    ? Number(constant.data[0])
    : undefined;
}

/** The factor of a Mul or Div by a constant, and what it multiplies. */
export function scaled(graph: Graph, node: Node): { value: string; factor: number } | undefined {
  if (node.op !== "Mul" && node.op !== "Div") return undefined;
  if (node.low !== undefined || node.high !== undefined) return undefined;
  const [a = "", b = ""] = node.inputs;
  const keeps = (value: string) =>
    valueOf(graph, value).shape.length === valueOf(graph, node.outputs[0] ?? "").shape.length;
  const second = scalarOf(graph, b);
  if (second !== undefined && keeps(a))
    return { value: a, factor: node.op === "Mul" ? second : 1 / second };
  const first = scalarOf(graph, a);
  if (first !== undefined && node.op === "Mul" && keeps(b)) return { value: b, factor: first };
  return undefined;
}

/** Rows of heads, and the factor between them and the operand. */
export interface Source extends Rows {
  readonly factor: number;
}

/** The rows of heads that `value` was made of, at every step back; the nearest first. */
export function sourcesOf(
  graph: Graph,
  producers: ReadonlyMap<string, Node>,
  value: string,
  start: Axes,
): Source[] {
  const found: Source[] = [];
  let [name, axes, factor] = [value, start, 1];
  for (;;) {
    const here = rowsOf(name, axes);
    if (here) found.push({ ...here, factor });
    const node = producers.get(name);
    if (!node) return found;
    const product = scaled(graph, node);
    if (product) {
      [name, factor] = [product.value, factor * product.factor];
      continue;
    }
    const input = node.inputs[0] ?? "";
    const [from, to] = [valueOf(graph, input).shape, valueOf(graph, name).shape];
    const next = before(node, node.outputs.indexOf(name), axes, from, to);
    if (!next) return found;
    [name, axes] = [input, next];
  }
}

/** The rows of heads that `value` is brought into, at every step on that nothing else reads. */
export function targetsOf(
  graph: Graph,
  consumers: ReadonlyMap<string, readonly Node[]>,
  value: string,
  start: Axes,
  heads: number,
): Rows[] {
  const found: Rows[] = [];
  let [name, axes] = [value, start];
  for (;;) {
    const here = rowsOf(name, axes, heads);
    if (here) found.push(here);
    const readers = consumers.get(name) ?? [];
    const [reader] = readers;
    if (!reader || readers.length > 1 || graph.outputs.includes(name)) return found;
    const [output = ""] = reader.outputs;
    const next = behind(reader, axes, graph.values.get(output)?.shape ?? []);
    if (!next) return found;
    [name, axes] = [output, next];
  }
}
