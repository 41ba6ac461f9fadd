// Kernels one at a time, each in turns with the loops that say how fast the adapter can be: its share is
// of what they reach in the same rounds.

import type { Device } from "../../src/gpu/device.ts";
import { onlyFamily, targetOf } from "../../src/plan/target.ts";
import type { Agreement } from "../core/check.ts";
import { interleave, reasonOf, type Contestant } from "../core/interleave.ts";
import type { BenchOptions, Family } from "../core/options.ts";
import type { Platform } from "../core/platform.ts";
import { random } from "../core/random.ts";
import type { CeilingKind, Ceilings, KernelRow } from "../core/rows.ts";
import type { KernelCase } from "../kernels/case.ts";
import { casesFor, type CaseSize } from "../kernels/cases.ts";
import { CeilingLoops, type Loop } from "../kernels/ceilings.ts";
import { prepareKernel } from "../kernels/measure.ts";
import type { Scale } from "./adapter.ts";

const MILLION = 1e6;

/** The loops that set each ceiling on this adapter. */
interface Bounds {
  readonly float: Loop;
  readonly integer: Loop;
  readonly copy: Loop;
  /** The best without loops of kind "rows" (rows.ts). */
  readonly products: Readonly<Record<"float" | "integer", Loop>>;
}

function boundsOf({ loops }: CeilingLoops, ceilings: Ceilings): Bounds {
  const best = (rate: number): Loop => {
    const name = ceilings.loops.find((loop) => loop.rate === rate)?.name;
    const loop = loops.find((loop) => loop.name === name);
    if (!loop) throw new Error("bench: a ceiling without a loop; please report.");
    return loop;
  };
  const product = (...kinds: CeilingKind[]): Loop => {
    const some = ceilings.loops.filter(({ kind }) => kinds.includes(kind));
    return best(Math.max(...some.map(({ rate }) => rate)));
  };
  return {
    products: { float: product("float"), integer: product("float", "integer") },
    float: best(ceilings.floatGops),
    integer: best(ceilings.integerGops),
    copy: best(ceilings.copyGBs),
  };
}

/** One case: checked, then timed in turns with its two ceilings. */
export async function benchKernel(
  device: Device,
  kernel: KernelCase,
  bounds: Bounds,
  rounds: number,
  seed: number,
  family?: Family,
): Promise<KernelRow> {
  const { kernel: name, dtype, shape, ops, bytes } = kernel;
  const row = { suite: "kernels", kernel: name, dtype, shape, ops, bytes } as const;
  let prepared;
  try {
    const target = targetOf(device.facts);
    const forced = family ? onlyFamily(target, family) : target;
    prepared = await prepareKernel(device, kernel, random(seed), forced);
  } catch (error) {
    const outcome = { name, status: "error", reason: reasonOf(error) } as const;
    return { ...row, outcome, dispatches: 0, shaders: "" };
  }
  using timed = prepared;
  const { check, dispatches, shaders } = timed;
  const kind = dtype === "int8" ? "integer" : "float";
  const compute = bounds[kind];
  const products = bounds.products[kind];
  const value = (output: number) => output;
  const contestants: Contestant<undefined, number>[] = [
    {
      name,
      run: () => timed.time(),
      timeOf: value,
      check: (): Agreement => check,
    },
    { name: "compute", run: () => compute.rate(), timeOf: value },
    { name: "products", run: () => products.rate(), timeOf: value },
    { name: "copy", run: () => bounds.copy.rate(), timeOf: value },
  ];
  const [outcome, gops, productGops, gbs] = await interleave(contestants, {
    rounds,
    draw: () => undefined,
  });
  if (!outcome) throw new Error("bench: no outcome; please report.");
  if (outcome.status !== "ok" || gops?.status !== "ok" || gbs?.status !== "ok")
    return { ...row, outcome, dispatches, shaders };
  if (productGops?.status !== "ok") throw new Error("bench: no loop of products; please report.");
  const least = {
    compute: kernel.isProduct ? ops / gops.ms.median / MILLION : 0,
    copy: bytes / gbs.ms.median / MILLION,
  };
  const bound = least.compute >= least.copy ? "compute" : "copy";
  const share = least[bound] / outcome.ms.median;
  const productShare = ops / productGops.ms.median / MILLION / outcome.ms.median;
  return { ...row, outcome, dispatches, shaders, bound, share, productShare };
}

export async function withCeilings<T>(
  device: Device,
  platform: Platform,
  work: (bounds: Bounds, ceilings: Ceilings) => Promise<T>,
): Promise<T> {
  using loops = await CeilingLoops.create(device);
  platform.say("kernels: measuring the adapter's ceilings");
  const ceilings = await loops.measure();
  return await work(boundsOf(loops, ceilings), ceilings);
}

/** The families to time a case by; undefined stands for what the rules choose. */
function familiesFor(
  { kernel, dtype, isProduct }: KernelCase,
  { family }: BenchOptions,
  { facts }: Device,
): readonly (Family | undefined)[] {
  if (!family) return [undefined];
  if (!isProduct || kernel === "depthwise") return [];
  const hasMatrices = dtype === "int8" && targetOf(facts).matrix !== undefined;
  return family.filter((name) => name !== "matrix" || hasMatrices);
}

export async function benchKernels(
  platform: Platform,
  options: BenchOptions,
  { isSmall }: Scale,
): Promise<{ rows: KernelRow[]; ceilings: Ceilings; notes: string[] }> {
  using device = await platform.openDevice();
  const size: CaseSize = options.quick ? "quick" : isSmall ? "software" : "gpu";
  return await withCeilings(device, platform, async (bounds, ceilings) => {
    const rows: KernelRow[] = [];
    for (const kernel of casesFor(size)) {
      const line = `${kernel.kernel} ${kernel.dtype} ${kernel.shape}`;
      if (!line.includes(options.kernel ?? "")) continue;
      platform.say(`kernels: ${line}`);
      const seed = options.seed + rows.length;
      for (const family of familiesFor(kernel, options, device))
        rows.push(await benchKernel(device, kernel, bounds, options.rounds, seed, family));
    }
    const lacksMatrices = options.family?.includes("matrix") && !targetOf(device.facts).matrix;
    const notes = lacksMatrices
      ? ["matrix: this device offers no int8 matrices of subgroups, or none that pass their test"]
      : [];
    return { rows, ceilings, notes };
  });
}
