// Training steps: ours in float and quantization-aware against the forward pass that they begin with, and the same
// network in other libraries, in turns. Everybody starts from the same weights and gets the same batches, so the
// losses must be the same: the first is checked before any time counts, the last is in the table.

import type { Device } from "../../src/gpu/device.ts";
import type { Agreement } from "../core/check.ts";
import { interleave, reasonOf, type Contestant, type Outcome } from "../core/interleave.ts";
import type { BenchOptions } from "../core/options.ts";
import type { Platform, Trained } from "../core/platform.ts";
import { random } from "../core/random.ts";
import type { TrainingRow } from "../core/rows.ts";
import {
  BATCH,
  cifarNetwork,
  drawBatch,
  TITLE,
  type TrainingBatch,
  type TrainingNetwork,
} from "../models/cifar.ts";
import { WEIGHT_SEED } from "../models/models.ts";
import { firstLossOf, OurTraining, WAYS, type Way } from "../peers/oursTraining.ts";
import { isWanted } from "./adapter.ts";

/** Losses near ln 10. */
const LOSS_BOUND = 1e-3;

const REFERENCE = "the reference interpreter";

/** Whether a library's first loss is the reference's. */
export function lossAgreement(got: number, want: number): Agreement {
  const difference = Math.abs(got - want);
  const agrees = difference <= LOSS_BOUND; // not of a NaN
  const bound = agrees ? "" : `; at most ${LOSS_BOUND} is allowed`;
  const detail = `loss ${got.toFixed(5)}, off by ${difference.toExponential(1)}${bound}`;
  return { agrees, against: REFERENCE, detail };
}

/** A peer's gradients and updates are right where every later loss is ours too: its time counts for nothing else. */
export function onTheSameWay(
  outcome: Outcome,
  losses: readonly number[],
  ours: readonly number[],
): Outcome {
  if (outcome.status !== "ok") return outcome;
  const common = Math.min(losses.length, ours.length);
  const strays = losses.findIndex(
    (loss, step) => step < common && !(Math.abs(loss - (ours[step] ?? NaN)) <= LOSS_BOUND),
  );
  if (strays < 0) return outcome;
  const [got, want] = [losses[strays], ours[strays]];
  const detail = `loss ${got?.toFixed(5)} before step ${strays + 1}, ours ${want?.toFixed(5)}; at most ${LOSS_BOUND} is allowed`;
  const check = { agrees: false, against: "our steps", detail };
  return { name: outcome.name, status: "mismatch", check };
}

interface Entrant {
  readonly contestant: string;
  readonly way: string;
  open(): Promise<Trained>;
  /** What the first loss must be. */
  want(batch: TrainingBatch): number;
  /** Ours alone, once it is open. */
  dispatches?: number;
}

/** Ours in three ways, then everybody else who is wanted. */
function entrantsOf(
  network: TrainingNetwork,
  device: Device,
  { trainers }: Platform,
  options: BenchOptions,
): Entrant[] {
  const firstLoss = new Map<string, number>();
  const want = (way: Way) => (batch: TrainingBatch) => {
    const known = firstLoss.get(way) ?? firstLossOf(network, way, batch);
    firstLoss.set(way, known);
    return known;
  };
  const ours = WAYS.map((way): Entrant => {
    const entrant: Entrant = {
      ...{ contestant: "ours", way },
      // A step's loss is that of the forward pass that it begins with.
      want: want(way === "step" ? "forward" : way),
      async open() {
        const own = await OurTraining.open(network, way, device);
        entrant.dispatches = own.plan.steps.length;
        return own;
      },
    };
    return entrant;
  });
  const peers = trainers.map(({ name, open }): Entrant => {
    return { contestant: name, way: "step", want: want("forward"), open: () => open(network) };
  });
  return [...ours, ...peers].filter(({ contestant }) => isWanted(options, contestant));
}

export async function benchTraining(
  platform: Platform,
  options: BenchOptions,
): Promise<TrainingRow[]> {
  const [batch = BATCH] = options.batch ?? [];
  const network = cifarNetwork(random(WEIGHT_SEED), batch);
  const next = random(options.seed);
  using device = await platform.openDevice();
  const open: Trained[] = [];
  const losses = new Map<string, number[]>();
  const failed = new Map<string, Outcome>();
  const contestants: Contestant<TrainingBatch, number>[] = [];
  const entrants = entrantsOf(network, device, platform, options);
  const nameOf = ({ contestant, way }: Entrant) => `${contestant} ${way}`;
  try {
    for (const entrant of entrants) {
      const name = nameOf(entrant);
      const seen: number[] = [];
      losses.set(name, seen);
      platform.say(`training: opening ${name}`);
      try {
        const trained = await entrant.open();
        open.push(trained);
        contestants.push({
          name,
          run: (given) => trained.step(given),
          check(loss, given) {
            seen.push(loss);
            return lossAgreement(loss, entrant.want(given));
          },
          timeOf(loss, wall) {
            if (seen.length > 0) seen.push(loss); // the first is in its check
            return wall;
          },
        });
      } catch (error) {
        failed.set(name, { name, status: "error", reason: reasonOf(error) });
      }
    }
    const outcomes = await interleave(contestants, {
      rounds: options.rounds,
      draw: () => drawBatch(network, next),
      onWarm: (name, ms, check) =>
        platform.say(`training: ${name} ${ms.toFixed(0)} ms, ${check?.detail}`),
    });
    const ours = losses.get("ours step") ?? [];
    const checked = outcomes.map((outcome) => {
      const seen = losses.get(outcome.name) ?? [];
      return outcome.name.endsWith(" step") && outcome.name !== "ours QAT step"
        ? onTheSameWay(outcome, seen, ours)
        : outcome;
    });
    const all = new Map([...checked.map((each) => [each.name, each] as const), ...failed]);
    return entrants.map((entrant): TrainingRow => {
      const { contestant, way, dispatches } = entrant;
      const outcome = all.get(nameOf(entrant));
      if (!outcome) throw new Error(`bench: no outcome of ${nameOf(entrant)}; please report.`);
      return {
        ...{ suite: "training", network: TITLE, batch, contestant, way, outcome },
        losses: losses.get(nameOf(entrant)) ?? [],
        ...(dispatches === undefined ? {} : { dispatches }),
      };
    });
  } finally {
    for (const trained of open) trained.dispose();
  }
}
