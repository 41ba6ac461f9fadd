// How quantizeDynamic quantizes one node, as plain data: presets, and options that change them.

import { QConfigError } from "../../errors.ts";
import { onnxRule, type DynamicRule } from "../../graph/dynamic.ts";
import { type TensorSpec } from "../qconfig.ts";
import { checkGroupSize } from "../weightOnly.ts";

/** What a node's weight becomes: int8 under quantized activations, or fewer bits under float ones. "float16" is
 *  PyTorch's; of the other two, so many weights share a scale: docs/decisions/0014. */
export type DynamicDType = "int8" | "float16" | "int8-weight-only" | "int4-weight-only";

/** PyTorch's numbers, or our own: docs/decisions/0010. */
export type DynamicPreset = "default" | "qnnpack" | "fbgemm" | "x86";

/** What may be said of all nodes and of some. */
export interface DynamicOptions {
  readonly dtype?: DynamicDType;
  readonly preset?: DynamicPreset;
  /** Scales of the activation: one a tensor, or one a row of its last axis. */
  readonly granularity?: DynamicRule["granularity"];
  /** Scales of the weight: one a tensor, or one an output channel. */
  readonly weight?: "perTensor" | "perChannel";
  /** 128 levels in place of 256. */
  readonly reduceRange?: boolean;
  /** Weight-only: weights of one output that share a scale, a multiple of 8. Default 32. */
  readonly groupSize?: number;
}

/** The same, decided. */
export interface DynamicSettings {
  readonly dtype: DynamicDType;
  readonly activation: DynamicRule;
  readonly weight: TensorSpec;
  readonly groupSize?: number;
}

const symmetric = { dtype: "int8", scheme: "symmetric" } as const;

const weights: Readonly<Record<"perTensor" | "perChannel", TensorSpec>> = {
  perTensor: { ...symmetric, granularity: "perTensor", observer: { kind: "minMax" } },
  perChannel: {
    ...symmetric,
    granularity: { perAxis: 0 },
    observer: { kind: "perChannelMinMax", axis: 0 },
  },
};

/** −127 … 127: the negative of a weight is one. */
const own = { qmin: -127, qmax: 127 } as const;

const torch: DynamicRule = { ...onnxRule, rule: "torch" };

interface Preset {
  readonly activation: DynamicRule;
  readonly weight: "perTensor" | "perChannel";
  readonly range: Partial<TensorSpec>;
}

const presets: Readonly<Record<DynamicPreset, Preset>> = {
  default: { activation: onnxRule, weight: "perChannel", range: own },
  // torch's dynamic layers ask for a reduced range; qnnpack ignores it.
  qnnpack: { activation: torch, weight: "perTensor", range: {} },
  fbgemm: { activation: { ...torch, reduceRange: true }, weight: "perTensor", range: {} },
  x86: { activation: { ...torch, reduceRange: true }, weight: "perTensor", range: {} },
};

const known = {
  dtype: ["int8", "float16", "int8-weight-only", "int4-weight-only"],
  preset: Object.keys(presets),
  granularity: ["perTensor", "perToken"],
  weight: ["perTensor", "perChannel"],
} as const;

/** The settings of `options`, later ones before earlier ones. Throws QConfigError for a word that is not known;
 *  `where` opens the message. */
export function settingsOf(where: string, ...options: readonly DynamicOptions[]): DynamicSettings {
  const merged: DynamicOptions = Object.assign({}, ...options);
  for (const [key, words] of Object.entries(known)) {
    const word = merged[key as keyof typeof known];
    if (word === undefined || (words as readonly string[]).includes(word)) continue;
    throw new QConfigError(
      `${where}: ${key} must be ${words.map((each) => `"${each}"`).join(" or ")}; got ` +
        `${JSON.stringify(word)}. Choose one of them.`,
    );
  }
  checkGroupSize(merged.groupSize, where);
  const { activation, weight, range } = presets[merged.preset ?? "default"];
  const spec = weights[merged.weight ?? weight];
  return {
    dtype: merged.dtype ?? "int8",
    ...(merged.groupSize === undefined ? {} : { groupSize: merged.groupSize }),
    activation: {
      ...activation,
      granularity: merged.granularity ?? activation.granularity,
      reduceRange: merged.reduceRange ?? activation.reduceRange,
    },
    weight: { ...spec, ...range },
  };
}
