// Pictures that are changed a little every time they are seen: pure functions of a picture (C, H, W) and random
// numbers. Names and meanings are torchvision.transforms'.

import { InputError } from "../errors.ts";
import { float32, formatShape, type Tensor } from "../tensor/tensor.ts";
import type { Random } from "./random.ts";

type Picture = Tensor<"float32">;

function sizesOf(what: string, { shape }: Picture): readonly [number, number, number] {
  const [channels, height, width] = shape;
  if (shape.length === 3 && channels !== undefined && height !== undefined && width !== undefined)
    return [channels, height, width];
  throw new InputError(
    `${what}: the picture must have shape [channels, height, width]; got ${formatShape(shape)}. ` +
      "Augment samples, before they are stacked.",
  );
}

export interface CropOptions {
  /** Pixels added on every side first; 0 unless told. */
  readonly padding?: number;
  /** Height and width of what is cut out; the picture's own unless told. */
  readonly size?: readonly [number, number];
  /** What is added, one number a channel or one for all: 0 unless told. */
  readonly fill?: number | readonly number[];
}

/** A part of the padded picture, every place as likely: RandomCrop. (C, H, W) → (C, size). */
export function randomCrop(picture: Picture, random: Random, options: CropOptions = {}): Picture {
  const [channels, height, width] = sizesOf("randomCrop", picture);
  const { padding = 0, size: [rows, columns] = [height, width], fill = 0 } = options;
  const [most, widest] = [height + 2 * padding - rows, width + 2 * padding - columns];
  if (most < 0 || widest < 0) {
    throw new InputError(
      `randomCrop: size ${rows} × ${columns} must fit in the padded picture; got ${height} × ${width} and ` +
        `padding ${padding}. Pad more, or cut out less.`,
    );
  }
  const [top, left] = [random.below(most + 1) - padding, random.below(widest + 1) - padding];
  const out = new Float32Array(channels * rows * columns);
  for (let c = 0; c < channels; c++) {
    const outside = typeof fill === "number" ? fill : (fill[c] ?? 0);
    for (let y = 0; y < rows; y++) {
      for (let x = 0; x < columns; x++) {
        const [row, column] = [y + top, x + left];
        const isInside = row >= 0 && row < height && column >= 0 && column < width;
        out[(c * rows + y) * columns + x] = isInside
          ? (picture.data[(c * height + row) * width + column] ?? 0)
          : outside;
      }
    }
  }
  return float32([channels, rows, columns], out);
}

/** Left and right exchanged: RandomHorizontalFlip. `probability` is ½ unless told. */
export function randomHorizontalFlip(picture: Picture, random: Random, probability = 0.5): Picture {
  const [, , width] = sizesOf("randomHorizontalFlip", picture);
  if (random.uniform() >= probability) return picture;
  const { data } = picture;
  const out = data.map((_, at) => {
    const column = at % width;
    return data[at - column + (width - 1 - column)] ?? 0;
  });
  return float32(picture.shape, out);
}

export interface JitterOptions {
  /** Factors are drawn from 1 − strength … 1 + strength, not below 0; 0 unless told. */
  readonly brightness?: number;
  readonly contrast?: number;
  readonly saturation?: number;
  /** What results are clamped to: black and white of the picture's scale; 0 and 1 unless told. */
  readonly bounds?: readonly [number, number];
}

/** The part of each colour in grey, as torchvision has it. */
const GREY = [0.2989, 0.587, 0.114] as const;

function greyOf(data: Float32Array, channels: number, pixels: number): Float32Array {
  if (channels !== 3) return data.subarray(0, pixels);
  return Float32Array.from({ length: pixels }, (_, at) =>
    GREY.reduce((sum, part, c) => sum + part * (data[c * pixels + at] ?? 0), 0),
  );
}

/** What is blended with, times 1 − factor. */
type Blend = (data: Float32Array, channels: number, pixels: number) => (at: number) => number;

const blends = {
  brightness: () => () => 0,
  contrast: (data, channels, pixels) => {
    const grey = greyOf(data, channels, pixels);
    const mean = grey.reduce((sum, value) => sum + value, 0) / pixels;
    return () => mean;
  },
  saturation: (data, channels, pixels) => {
    const grey = greyOf(data, channels, pixels);
    return (at) => grey[at % pixels] ?? 0;
  },
} as const satisfies Record<string, Blend>;

type Property = keyof typeof blends;

/** `picture` with one property multiplied: torchvision's adjust_brightness, adjust_contrast, adjust_saturation. */
export function adjust(
  picture: Picture,
  property: Property,
  factor: number,
  [low, high]: readonly [number, number] = [0, 1],
): Picture {
  const [channels, height, width] = sizesOf(property, picture);
  if (property === "saturation" && channels !== 3) return picture;
  const { data } = picture;
  const other = (blends[property] as Blend)(data, channels, height * width);
  const mixed = data.map((value, at) =>
    Math.min(high, Math.max(low, factor * value + (1 - factor) * other(at))),
  );
  return float32(picture.shape, mixed);
}

/** Brightness, contrast and saturation changed by random factors, in random order: ColorJitter. The picture is of 1
 *  or 3 channels, black and white at `bounds`. */
export function colorJitter(
  picture: Picture,
  random: Random,
  options: JitterOptions = {},
): Picture {
  const properties: Property[] = ["brightness", "contrast", "saturation"];
  let result = picture;
  while (properties.length > 0) {
    const [property] = properties.splice(random.below(properties.length), 1);
    const strength = property && options[property];
    if (!property || !strength) continue;
    const factor = random.between(Math.max(0, 1 - strength), 1 + strength);
    result = adjust(result, property, factor, options.bounds);
  }
  return result;
}
