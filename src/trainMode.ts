// The switches of a training, as a function of time.

import type { Controls, From } from "./trainOptions.ts";
import type { Mode } from "./trainable.ts";

interface Now {
  readonly epoch: number;
  readonly step: number;
}

const isSince = (from: From, now: Now): boolean =>
  "epoch" in from ? now.epoch >= from.epoch : now.step >= from.step;

/** How the step at `now` goes forward. */
export function modeAt(controls: Controls, now: Now): Omit<Mode, "learnable"> {
  const since = (from: From | undefined, otherwise: boolean) =>
    from === undefined ? otherwise : isSince(from, now);
  const { enableObserver, disableObserver, enableFakeQuantize, freezeBatchNorm } = controls;
  return {
    batchNorm: since(freezeBatchNorm, false) ? "frozen" : "batch",
    observers: since(enableObserver, true) && !since(disableObserver, false),
    fakeQuantize: since(enableFakeQuantize, true),
  };
}

export function isSameMode(a: Mode, b: Mode): boolean {
  return (
    a.batchNorm === b.batchNorm && a.observers === b.observers && a.fakeQuantize === b.fakeQuantize
  );
}
