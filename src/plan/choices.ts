// What lowering decides by sizes, where one set of kernels serves many sizes. Its one idea: a decision is
// made for the bounds and kept for every smaller size, so that all plans have the same steps, and only
// uniforms and grids differ. Without bounds a plan decides for its own sizes.

import type { BoundGraph } from "../graph/bind.ts";
import { valueOf } from "../graph/graph.ts";
import type { ProductSizes } from "./target.ts";
import type { ProductTile } from "./tiles.ts";

/** A tile, and the rows it was chosen for. */
export interface TileChoice {
  readonly m: number;
  readonly tile: ProductTile;
}

export type ShapeOf = (name: string) => readonly number[];

export class Choices {
  readonly #probes: readonly BoundGraph[];
  readonly #settled = new Map<string, unknown>();
  readonly #tiles = new Map<string, TileChoice[]>();
  #sealed = false;

  /** `probes`: the graph at the sizes that a statement about all sizes is tried at. */
  constructor(probes: readonly BoundGraph[]) {
    this.#probes = probes;
  }

  /** From now on no tile is chosen that was not chosen before. */
  seal(): void {
    this.#sealed = true;
  }

  /** Whether `holds` for the shapes at all sizes. */
  always(holds: (shape: ShapeOf) => boolean): boolean {
    return this.#probes.every((graph) =>
      holds((name) => valueOf(graph, name).shape as readonly number[]),
    );
  }

  /** What was chosen for `key` first: the plan for the bounds is lowered before any other. */
  settle<T>(key: string, choose: () => T): T {
    if (this.#settled.has(key)) return this.#settled.get(key) as T;
    const chosen = choose();
    this.#settled.set(key, chosen);
    return chosen;
  }

  /** The tile of product `key`: once sealed, that of the least rows, at least `sizes.m`, that one was
   *  chosen for. */
  tile(key: string, sizes: ProductSizes, choose: () => ProductTile): TileChoice {
    const known = this.#tiles.get(key) ?? [];
    const same = known.find(({ m }) => m === sizes.m);
    if (same) return same;
    if (this.#sealed) {
      const above = known.filter(({ m }) => m >= sizes.m);
      const [nearest] = (above.length > 0 ? above : known).toSorted((a, b) => a.m - b.m);
      if (nearest) return nearest;
    }
    const chosen = { m: sizes.m, tile: choose() };
    this.#tiles.set(key, [...known, chosen]);
    return chosen;
  }
}
