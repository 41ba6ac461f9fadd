// What calibration found, as plain data: statistics per observed value, and per layer the shift of its
// channels' means that quantization causes. Serialisable; it never holds a sample.

import type { Graph } from "../graph/graph.ts";
import type { QParams } from "../graph/value.ts";
import type { Assignment } from "./annotate.ts";
import { rangeOfStatistics, type Statistics } from "./observers.ts";
import { chooseQParams } from "./qparams.ts";
import { findSites } from "./sites.ts";

export interface Calibration {
  /** Observed value → what was seen of it. */
  readonly statistics: ReadonlyMap<string, Statistics>;
  /** Node → what to add to its bias, per output channel in real units: docs/quantization.md (43). */
  readonly biasCorrection: ReadonlyMap<string, Float32Array>;
  /** Samples seen. */
  readonly samples: number;
}

/** Parameters of each root of `graph`: docs/quantization.md (8) – (10). */
export function chooseActivations(
  graph: Graph,
  assignment: Assignment,
  statistics: ReadonlyMap<string, Statistics>,
): Map<string, QParams> {
  const params = new Map<string, QParams>();
  for (const [root, { activation }] of findSites(graph, assignment).configs) {
    const seen = statistics.get(root);
    if (seen) params.set(root, chooseQParams(rangeOfStatistics(seen), activation));
  }
  return params;
}
