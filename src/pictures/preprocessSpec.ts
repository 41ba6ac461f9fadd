// How pixels become a model's numbers, as plain JSON data. One formula covers both usual conventions, so a
// preset is an ordinary spec and a user's file says the same things.

import { InputError } from "../errors.ts";

/**
 * out = (x / scale − mean[c]) / std[c] for a channel's byte x, after the short side is resized to
 * `resize` px and the centre is cropped.
 */
export interface Preprocess {
  /** Short side in px before the centre crop; by default round(256 / 224 · the input's size). */
  readonly resize?: number;
  /** The divisor of a byte: 255 maps to 0 … 1. */
  readonly scale: number;
  /** Per channel of the tensor, in `order`, or one number for all. */
  readonly mean: readonly [number, number, number] | readonly [number];
  readonly std: readonly [number, number, number] | readonly [number];
  /** Which color is channel 0 of the tensor. */
  readonly order: "rgb" | "bgr";
}

/** `imagenet`: torchvision, (x/255 − mean)/std. `tf`: TensorFlow, x/127.5 − 1. */
export const presets = {
  imagenet: { scale: 255, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225], order: "rgb" },
  tf: { scale: 127.5, mean: [1, 1, 1], std: [1, 1, 1], order: "rgb" },
} as const satisfies Readonly<Record<string, Preprocess>>;

const wayOut =
  "Write JSON such as " +
  '{"resize": 256, "scale": 255, "mean": [0, 0, 0], "std": [1, 1, 1], "order": "rgb"}, ' +
  `or name a preset: ${Object.keys(presets).join(", ")}.`;

const isNumber = (value: unknown): value is number =>
  typeof value === "number" && Number.isFinite(value);

type PerChannel = [number, number, number] | [number];

/** A list of three numbers, or of one; else undefined. */
function perChannel(value: unknown): PerChannel | undefined {
  if (!Array.isArray(value) || !value.every(isNumber)) return undefined;
  return value.length === 3 || value.length === 1 ? (value as PerChannel) : undefined;
}

/**
 * Read a preset's name, or a JSON object with any of the fields of `Preprocess`. Fields left out are
 * resize: none, scale: 255, mean: [0, 0, 0], std: [1, 1, 1], order: "rgb".
 * @throws InputError naming the field that is wrong or unknown
 */
export function parsePreprocess(jsonTextOrPresetName: string): Preprocess {
  const preset = Object.entries(presets).find(([name]) => name === jsonTextOrPresetName.trim());
  if (preset) return preset[1];
  let json: unknown;
  try {
    json = JSON.parse(jsonTextOrPresetName);
  } catch {
    const start = JSON.stringify(jsonTextOrPresetName.slice(0, 40));
    throw new InputError(`preprocess: neither a preset nor JSON; got ${start}. ${wayOut}`);
  }
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw new InputError(`preprocess: must be a JSON object; got ${show(json)}. ${wayOut}`);
  }
  let spec: Preprocess = { scale: 255, mean: [0, 0, 0], std: [1, 1, 1], order: "rgb" };
  for (const [field, value] of Object.entries(json)) spec = { ...spec, ...readField(field, value) };
  return spec;
}

function readField(field: string, value: unknown): Partial<Preprocess> {
  const wrong = (rule: string): InputError =>
    new InputError(`preprocess: "${field}" must be ${rule}; got ${show(value)}. ${wayOut}`);
  switch (field) {
    case "resize":
      if (isNumber(value) && Number.isInteger(value) && value > 0) return { resize: value };
      throw wrong("a positive integer, the short side in px");
    case "scale":
      // Below 1 it is surely meant as a factor, such as 1/255.
      if (isNumber(value) && value >= 1) return { scale: value };
      throw wrong("at least 1: it divides the bytes, so 255 maps them to 0 … 1");
    case "mean": {
      const mean = perChannel(value);
      if (mean) return { mean };
      throw wrong("three finite numbers");
    }
    case "std": {
      const std = perChannel(value);
      if (std?.every((each) => each > 0)) return { std };
      throw wrong("three positive numbers");
    }
    case "order":
      if (value === "rgb" || value === "bgr") return { order: value };
      throw wrong('"rgb" or "bgr"');
    default:
      throw new InputError(
        `preprocess: unknown field ${JSON.stringify(field)}; known are resize, scale, mean, std, ` +
          `order. ${wayOut}`,
      );
  }
}

function show(value: unknown): string {
  const json = JSON.stringify(value) ?? String(value);
  return json.length > 60 ? `${json.slice(0, 60)}…` : json;
}
