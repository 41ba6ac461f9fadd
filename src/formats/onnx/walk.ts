// The walk over the nodes of a graph, in file order. An If whose condition is known is replaced by its taken
// branch: the walk goes on inside, and names of the branch that are taken already get fresh ones. The other
// branch is not looked at, so what it holds need not be supported. Where a run decides, both are walked (control.ts).

import { FormatError, InputError, type Unsupported } from "../../errors.ts";
import { Call } from "./call.ts";
import { importerOf } from "./ops/table.ts";
import { dataTypeName, type GraphProto, type NodeProto, type TensorProto } from "./proto.ts";
import { decodeTensor, wideOf } from "./readTensor.ts";
import { Refusal, type Scope } from "./scope.ts";

/** What the names of a (sub)graph of the file are in the graph that is built. A name of a branch means what
 *  is outside until the branch defines it. */
class Renames {
  readonly #outer: Renames | undefined;
  readonly #own = new Map<string, string>();
  readonly #rename: (name: string) => string;

  /** @param rename The name in the graph of one that is defined here. */
  constructor(rename: (name: string) => string = (name) => name, outer?: Renames) {
    this.#rename = rename;
    this.#outer = outer;
  }

  define(name: string): string {
    const renamed = this.#rename(name);
    this.#own.set(name, renamed);
    return renamed;
  }

  get(name: string): string {
    return this.#own.get(name) ?? this.#outer?.get(name) ?? name;
  }
}

/** All steps of `steps`, one after the other: what it returns. */
export function drain<T>(steps: Generator<unknown, T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value as T;
  }
}

/** Every name that `graph` or a graph inside it reads. */
export function usedNames(graph: GraphProto, used = new Set<string>()): Set<string> {
  for (const { name } of graph.outputs) used.add(name);
  for (const node of graph.nodes) {
    for (const name of node.inputs) used.add(name);
    for (const inner of subgraphs(node)) usedNames(inner, used);
  }
  return used;
}

/** The graphs in the attributes of `node`. */
export function subgraphs(node: NodeProto): GraphProto[] {
  return [...node.attributes.values()].flatMap((attribute) =>
    attribute.kind === "graph" ? [attribute.value] : [],
  );
}

/** What is wrong with a node before its inputs are looked at. */
function staticProblems(node: NodeProto): string[] {
  const op = importerOf(node);
  if (typeof op === "string") return [op];
  return [...node.attributes].flatMap(([name, { kind }]) => {
    if (!op.attributes.has(name)) return [`attribute "${name}" is not supported`];
    return kind === "other" ? [`attribute "${name}" has an unsupported type`] : [];
  });
}

export class Walk {
  readonly #scope: Scope;
  readonly #externalData: ReadonlyMap<string, Uint8Array> | undefined;
  readonly #offenders: Unsupported[];
  readonly #named = new Set<string>();
  readonly #counts = new Map<string, number>();
  #failure: FormatError | InputError | undefined;

  /** @param offenders What cannot be imported is added to it. */
  constructor(
    scope: Scope,
    externalData: ReadonlyMap<string, Uint8Array> | undefined,
    offenders: Unsupported[],
  ) {
    this.#scope = scope;
    this.#externalData = externalData;
    this.#offenders = offenders;
  }

  /** Import the nodes of the file's graph, a node a step; yields how many are done. Throws what a node threw, where
   *  nothing else is refused. */
  *run(graph: GraphProto): Generator<number, void> {
    for (const { name } of graph.nodes) if (name !== "") this.#scope.nodeNames.take(name);
    const renames = new Renames();
    const used = usedNames(graph);
    for (const [at, node] of graph.nodes.entries()) {
      this.#node(node, renames, used);
      yield at + 1;
    }
    if (this.#failure && this.#offenders.length === 0) throw this.#failure;
  }

  /** Initializers become constants, under their names in `renames`; a tensor a step. */
  *initializers(
    graph: GraphProto,
    used: ReadonlySet<string>,
    renames = new Renames(),
  ): Generator<number, void> {
    for (const proto of graph.initializers) {
      if (!used.has(proto.name)) continue;
      yield 0;
      const tensor = this.#decode(proto);
      if (tensor) {
        const name = renames.define(proto.name);
        const wide = wideOf(proto.dataType);
        this.#scope.setConstant(name, tensor);
        if (wide) this.#scope.setWide(name, wide);
      } else {
        const problem = `dtype ${dataTypeName(proto.dataType)} is not supported`;
        this.#offenders.push({ op: "initializer", node: proto.name, problem });
      }
    }
    if (graph.sparse > 0) {
      const problem = `${graph.sparse} sparse initializer(s) are not supported`;
      this.#offenders.push({ op: "graph", node: graph.name, problem });
    }
  }

  #decode(proto: TensorProto) {
    return decodeTensor(proto, this.#externalData);
  }

  #nodes(graph: GraphProto, renames: Renames): void {
    const used = usedNames(graph);
    for (const node of graph.nodes) this.#node(node, renames, used);
  }

  #node(node: NodeProto, renames: Renames, used: ReadonlySet<string>): void {
    const name = this.#nameOf(node);
    const inputs = node.inputs.map((input) => (input === "" ? "" : renames.get(input)));
    const outputs = node.outputs.map((output) => (output === "" ? "" : renames.define(output)));
    const problems = staticProblems(node);
    for (const problem of problems) {
      this.#offenders.push({ op: node.opType, node: name, problem });
    }
    const isReady = inputs.every((input) => input === "" || this.#scope.entry(input));
    if (problems.length > 0 || !isReady || this.#failure) return;
    const call = new Call(
      { ...node, inputs, outputs },
      name,
      this.#scope,
      (index) => used.has(node.outputs[index] || "\0"),
      (proto) => this.#decode(proto),
      (branch, targets = outputs) => this.#inline(branch, name, targets, renames),
    );
    try {
      run(call);
    } catch (error) {
      if (error instanceof Refusal) {
        this.#offenders.push({ op: node.opType, node: name, problem: error.message });
      } else if (error instanceof FormatError || error instanceof InputError) this.#failure = error;
      else throw error;
    }
  }

  /** Empty and repeated names get stable ones: Conv_0 is the first Conv of the file. */
  #nameOf({ name, opType }: NodeProto): string {
    const count = this.#counts.get(opType) ?? 0;
    this.#counts.set(opType, count + 1);
    const { nodeNames } = this.#scope;
    // The names of the file's own nodes are taken from the start, those of a branch when it is met.
    const isOwn = name !== "" && !this.#named.has(name);
    const own = isOwn ? name : nodeNames.fresh(name || `${opType}_${count}`);
    nodeNames.take(own);
    this.#named.add(own);
    return own;
  }

  /** Import `branch` in place of the node `name`, whose outputs are `outputs`. */
  #inline(branch: GraphProto, name: string, outputs: readonly string[], outer: Renames): void {
    const scope = this.#scope;
    const targets = new Map<string, string>();
    branch.outputs.forEach(({ name: inner }, index) => {
      const target = outputs[index];
      if (target && !targets.has(inner)) targets.set(inner, target);
    });
    const renames = new Renames((inner) => targets.get(inner) ?? scope.names.fresh(inner), outer);
    drain(this.initializers(branch, usedNames(branch), renames));
    this.#nodes(branch, renames);
    branch.outputs.forEach(({ name: inner }, index) => {
      const [source, target] = [renames.get(inner), outputs[index]];
      const entry = scope.entry(source);
      // Without an entry the branch was refused, and said why.
      if (!target || target === source || entry === undefined) return;
      if (entry.kind !== "value") return scope.alias(target, source);
      const node = scope.nodeNames.fresh(`${name}_Identity`);
      scope.add({ op: "Identity", name: node, inputs: [source], outputs: [target] });
    });
  }
}

function run(call: Call): void {
  const op = importerOf(call.proto);
  if (typeof op === "string") return;
  const [least, most] = op.inputs;
  const { length } = call.proto.inputs;
  if (length < least || length > most) {
    const range = least === most ? String(least) : `${least} … ${most}`;
    call.wrong(`it takes ${range} input(s)`, String(length));
  }
  op.run(call);
}
