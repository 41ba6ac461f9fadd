// Endless small pictures of ten shapes, for a first run without any download: `npm start` and the demo page.
// One idea: a picture is a function of (split, index) alone. It is drawn from its own random stream:
// a mottled, unevenly lit background, strokes and specks behind, the shape at any position, size and
// rotation, strokes across it, then sensor noise. train.ts trains model.onnx on them; see README.md.
// Only integer operations, + − × ÷, Math.sqrt and Math.floor are used: Math.sin and the like may differ
// between engines in the last bit, and a picture must not.
import { InputError } from "../../src/errors.ts";
import { random, type Random } from "./random.ts";
import { classNames, distances, segment } from "./shapes.ts";

export { classNames };

export type Split = "train" | "calibration" | "test";

/** One picture: `data` holds its bytes as (height, width, 3), red green blue, rows from the top. */
export interface SamplePicture {
  readonly label: number; // an index of classNames
  readonly width: number; // pixels
  readonly height: number; // pixels
  readonly data: Uint8Array;
}

const SEED = 20250730;
const SIZE = 48; // pixels, both ways
const CELLS = 5; // mottles along one side
const NODES = CELLS + 1;
const SPLITS: readonly Split[] = ["train", "calibration", "test"];
const LIMIT = 0x40000000; // indices per split, so that (split, index) is one u32

type Colour = readonly [red: number, green: number, blue: number]; // 0 … 255

/** The picture at `index` of `split`: the same bytes on every engine, and no two keys share a random stream.
 *  Any ten pictures from a multiple of ten on hold every class once. Throws InputError. */
export function samplePicture(index: number, split: Split): SamplePicture {
  const place = SPLITS.indexOf(split);
  if (place < 0)
    throw new InputError(
      `samplePicture: split must be one of ${SPLITS.join(", ")}; got "${split}". Pass one of them.`,
    );
  if (!Number.isInteger(index) || index < 0 || index >= LIMIT)
    throw new InputError(
      `samplePicture: index must be an integer from 0 to ${LIMIT - 1}; got ${index}. ` +
        `Count pictures from 0.`,
    );
  const label = labelOf(index, place);
  const rng = random(place * LIMIT + index, SEED);
  const canvas = new Float64Array(SIZE * SIZE * 3);
  const ground = colour(rng);
  paintGround(canvas, rng, ground);
  for (let count = 2 + rng.below(5); count > 0; count--) paintStroke(canvas, rng, 4);
  for (let count = rng.below(6); count > 0; count--) paintSpeck(canvas, rng);
  paintShape(canvas, rng, label, ground);
  for (let count = rng.below(3); count > 0; count--) paintStroke(canvas, rng, 2);
  return { label, width: SIZE, height: SIZE, data: expose(canvas, rng) };
}

/** Each run of ten indices is one shuffle of the ten labels. */
function labelOf(index: number, place: number): number {
  const count = classNames.length;
  const rng = random(place * LIMIT + Math.floor(index / count), ~SEED);
  const order = classNames.map((_, label) => label);
  for (let i = count - 1; i > 0; i--) {
    const j = rng.below(i + 1);
    const kept = order[i] ?? 0;
    order[i] = order[j] ?? 0;
    order[j] = kept;
  }
  return order[index % count] ?? 0;
}

function colour(rng: Random): Colour {
  return [rng.between(20, 235), rng.between(20, 235), rng.between(20, 235)];
}

/** A unit vector of random direction, without sines: a point of the disc, divided by its length. */
function direction(rng: Random): readonly [number, number] {
  for (;;) {
    const x = rng.between(-1, 1);
    const y = rng.between(-1, 1);
    const square = x * x + y * y;
    if (square > 0.01 && square <= 1) return [x / Math.sqrt(square), y / Math.sqrt(square)];
  }
}

/** One colour, mottled: brightness is interpolated between the corners of a 5 × 5 grid. */
function paintGround(canvas: Float64Array, rng: Random, ground: Colour): void {
  const strength = rng.between(0, 45);
  const grid = Float64Array.from({ length: NODES * NODES }, () => rng.between(-strength, strength));
  const at = (row: number, column: number): number => grid[row * NODES + column] ?? 0;
  for (let y = 0; y < SIZE; y++) {
    const row = Math.floor((y * CELLS) / SIZE);
    const down = (y * CELLS) / SIZE - row;
    for (let x = 0; x < SIZE; x++) {
      const column = Math.floor((x * CELLS) / SIZE);
      const right = (x * CELLS) / SIZE - column;
      const above = at(row, column) * (1 - right) + at(row, column + 1) * right;
      const below = at(row + 1, column) * (1 - right) + at(row + 1, column + 1) * right;
      const mottle = above * (1 - down) + below * down;
      const pixel = (y * SIZE + x) * 3;
      canvas[pixel] = ground[0] + mottle;
      canvas[pixel + 1] = ground[1] + mottle;
      canvas[pixel + 2] = ground[2] + mottle;
    }
  }
}

/** Blends `paint` over the box around (x, y); `coverage` of a pixel's centre is cut to 0 … 1. */
function blend(
  canvas: Float64Array,
  [cx, cy, reach]: readonly [number, number, number],
  paint: Colour,
  coverage: (x: number, y: number) => number,
): void {
  const left = Math.max(0, Math.floor(cx - reach));
  const right = Math.min(SIZE - 1, Math.floor(cx + reach));
  const bottom = Math.min(SIZE - 1, Math.floor(cy + reach));
  for (let y = Math.max(0, Math.floor(cy - reach)); y <= bottom; y++)
    for (let x = left; x <= right; x++) {
      const covered = coverage(x + 0.5, y + 0.5);
      if (covered <= 0) continue;
      const share = covered < 1 ? covered : 1;
      const pixel = (y * SIZE + x) * 3;
      for (let c = 0; c < 3; c++) {
        const old = canvas[pixel + c] ?? 0;
        canvas[pixel + c] = old + share * ((paint[c] ?? 0) - old);
      }
    }
}

/** A straight stroke of random place, direction and colour, at most `width` pixels wide. */
function paintStroke(canvas: Float64Array, rng: Random, width: number): void {
  const x = rng.between(0, SIZE);
  const y = rng.between(0, SIZE);
  const [dx, dy] = direction(rng);
  const half = rng.between(3, 14);
  const radius = rng.between(0.4, width / 2);
  blend(canvas, [x, y, half + radius + 1], colour(rng), (px, py) => {
    const away = segment(px, py, x - dx * half, y - dy * half, x + dx * half, y + dy * half);
    return radius + 0.5 - away;
  });
}

/** A round speck, too small to be taken for a disc. */
function paintSpeck(canvas: Float64Array, rng: Random): void {
  const x = rng.between(0, SIZE);
  const y = rng.between(0, SIZE);
  const radius = rng.between(0.8, 3);
  blend(canvas, [x, y, radius + 1], colour(rng), (px, py) => {
    return radius + 0.5 - Math.sqrt((px - x) * (px - x) + (py - y) * (py - y));
  });
}

/** The shape of `label`: turned, stretched by up to a fifth, its edge one to two pixels soft. */
function paintShape(canvas: Float64Array, rng: Random, label: number, ground: Colour): void {
  const distance = distances[label];
  if (distance === undefined) return;
  const radius = rng.between(10, 19); // pixels
  const x = rng.between(radius * 0.85, SIZE - radius * 0.85);
  const y = rng.between(radius * 0.85, SIZE - radius * 0.85);
  const [cos, sin] = direction(rng);
  const stretch = rng.between(0.83, 1.2);
  const softness = rng.between(1, 2.2); // pixels
  const paint = contrasting(rng, ground);
  blend(canvas, [x, y, radius * 1.25 + 2], paint, (px, py) => {
    const u = ((px - x) * cos + (py - y) * sin) / (radius * stretch);
    const v = ((py - y) * cos - (px - x) * sin) * (stretch / radius);
    return 0.5 - (distance(u, v) * radius) / softness;
  });
}

/** A colour at least 80 from `ground`, summed over red, green and blue. */
function contrasting(rng: Random, ground: Colour): Colour {
  for (;;) {
    const other = colour(rng);
    const gap =
      Math.abs(other[0] - ground[0]) +
      Math.abs(other[1] - ground[1]) +
      Math.abs(other[2] - ground[2]);
    if (gap >= 80) return other;
  }
}

/** Light that falls off across the picture, noise, and bytes. */
function expose(canvas: Float64Array, rng: Random): Uint8Array {
  const data = new Uint8Array(canvas.length);
  const gain = rng.between(0.65, 1.2);
  const [dx, dy] = direction(rng);
  const fall = rng.between(0, 0.35) / SIZE; // of the gain, per pixel
  const noise = rng.between(2, 26); // the most that noise adds or takes, of 255
  for (let i = 0; i < data.length; i++) {
    const pixel = Math.floor(i / 3);
    const y = Math.floor(pixel / SIZE);
    const light = gain * (1 + fall * ((pixel - y * SIZE - SIZE / 2) * dx + (y - SIZE / 2) * dy));
    const grain = (rng.next() + rng.next() - 1) * noise; // a triangle around 0
    const value = Math.floor((canvas[i] ?? 0) * light + grain + 0.5);
    data[i] = value < 0 ? 0 : value > 255 ? 255 : value;
  }
  return data;
}
