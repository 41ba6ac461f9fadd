// The steps of test/fixtures/make_qat.py, and how far from PyTorch's they are.

import { toNumbers } from "../../src/tensor/tensor.ts";
import { FROZEN, OBSERVED, quantizerOf, type QatRun } from "./qatFixture.ts";
import { trainQat, type Runners, type Trained } from "./qatTraining.ts";

const optimizer = { kind: "sgd", learningRate: 0.05, momentum: 0.9 } as const;

/** Observed steps, then with observers off, then with normalization frozen. */
export async function trainFixture({ model, batches }: QatRun, runners: Runners): Promise<Trained> {
  const off = { observers: false } as const;
  const frozen = { ...off, batchNorm: "frozen" } as const;
  const first = await trainQat(model, batches.slice(0, OBSERVED), optimizer, runners);
  const rest = batches.slice(OBSERVED, FROZEN);
  const second = await trainQat(first.model, rest, optimizer, runners, off, first);
  return trainQat(second.model, batches.slice(FROZEN), optimizer, runners, frozen, second);
}

/** The greatest relative difference of losses and of scales, and the zero points that differ, over all steps. */
export function differences({ model, steps }: QatRun, { losses, states }: Trained) {
  let [loss, scale, zeroPoints] = [0, 0, 0];
  steps.forEach((step, index) => {
    loss = Math.max(loss, Math.abs(losses[index]! / step.loss - 1));
    for (const [name, want] of step.quantizers) {
      const quantizer = quantizerOf(model, name);
      const read = (value: string) => toNumbers(states[index]!.get(value)!);
      read(quantizer.scale).forEach((got, c) => {
        scale = Math.max(scale, Math.abs(got / want.scale[c]! - 1));
      });
      read(quantizer.zeroPoint).forEach((got, c) => {
        if (got !== want.zeroPoint[c]) zeroPoints++;
      });
    }
  });
  return { loss, scale, zeroPoints };
}
