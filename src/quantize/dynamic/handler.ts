// What one kind of layer needs to be quantized dynamically: a row of the table in table.ts. A handler adds the
// quantized form of a node to the graph under construction; how it decides and what it adds is its own.

import type { GraphBuilder } from "../../graph/builder.ts";
import type { DynamicRule } from "../../graph/dynamic.ts";
import type { Graph } from "../../graph/graph.ts";
import type { Node } from "../../graph/node.ts";
import type { DynamicDType, DynamicSettings } from "./settings.ts";

/** Bytes of an activation, and the parameters that were made for them: names of values. */
export interface DynamicInput {
  readonly q: string;
  readonly scale: string;
  readonly zeroPoint: string;
}

/** The graph on its way. */
export interface Rewriting {
  /** The fused float graph. */
  readonly graph: Graph;
  readonly builder: GraphBuilder;
  /** The nodes that read value `name`. */
  consumers(name: string): readonly Node[];
  /** Activation `name` as bytes; a second reader with the same rule gets the same ones. */
  quantized(name: string, rule: DynamicRule): DynamicInput;
  /** `node` is done along with the one at hand: it is not added again. */
  absorb(node: Node): void;
}

export interface Handler {
  /** PyTorch's name of the layer, as `ops` says it. */
  readonly kind: string;
  readonly dtypes: readonly DynamicDType[];
  /** Quantized only where `ops` asks for it, as PyTorch's embeddings. */
  readonly onRequest?: boolean;
  /** Whether `node` is a layer of this kind: one that has weights. */
  is(graph: Graph, node: Node): boolean;
  /** Why it must stay float, or undefined. */
  whyFloat(graph: Graph, node: Node): string | undefined;
  rewrite(node: Node, settings: DynamicSettings, rewriting: Rewriting): void;
}
