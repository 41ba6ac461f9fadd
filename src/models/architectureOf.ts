// Which architecture a state dict belongs to. One idea: the builders know what they ask for, so each is
// asked, and the one whose names and shapes are exactly those of the state dict is it.

import type { StateDict } from "../formats/torch/stateDict.ts";
import { architectures, misfitOf, type ArchitectureName } from "./architectures.ts";
import { finishQat, isQat } from "./finishQat.ts";
import type { Misfit } from "./weights.ts";

export interface Fit extends Misfit {
  readonly architecture: ArchitectureName;
  readonly quantize: boolean;
  /** Entries that fit among all that are there or asked for, 0 … 1. */
  readonly share: number;
  /** Nothing is missing, misshapen or unexpected. */
  readonly isComplete: boolean;
}

/** Whether the weights are quantized, or will be when their training is finished. */
export function isQuantizedState(state: StateDict): boolean {
  return [...state.values()].some(({ quant }) => quant !== undefined) || isQat(state);
}

/** How well `state` fits each architecture that has its form, float or quantized, in the table's order. */
export function fitsOf(state: StateDict): readonly Fit[] {
  const quantize = isQuantizedState(state);
  // Engine and epsilon decide numbers, never names or shapes: one conversion serves all.
  const finished = isQat(state) ? finishQat(state, { engine: "qnnpack", epsilon: 1e-5 }) : state;
  const names = Object.keys(architectures) as ArchitectureName[];
  return names
    .filter((name) => !quantize || "backend" in architectures[name])
    .map((architecture) => {
      const misfit = misfitOf(architecture, finished, quantize);
      const { missing, misshapen, unexpected, fitting } = misfit;
      const wrong = missing.length + misshapen.length + unexpected.length;
      const share = fitting / Math.max(1, fitting + wrong);
      return { ...misfit, architecture, quantize, share, isComplete: wrong === 0 };
    });
}

/** The architecture that `state` fits best: the one it is of, or the closest. Of equals the first. */
export function bestFit(state: StateDict): Fit {
  return fitsOf(state).reduce((best, fit) => (fit.share > best.share ? fit : best));
}
