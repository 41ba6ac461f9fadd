// Filters in the order the convolution kernels read them: four output channels by four input
// channels a block, blocks ordered output word, tap, input word. Lanes past the last channel are 0,
// so what lies in the padding of an activation does not matter.

/** The sizes of a convolution's filter. */
export interface FilterShape {
  readonly outs: number;
  /** Input channels one output channel reads. */
  readonly perGroup: number;
  readonly taps: number;
  readonly group: number;
}

/** Data (outs, perGroup, taps), row-major. */
type Data = ArrayLike<number>;

/** True where every output channel reads its own input channel alone. */
export function isDepthwise({ outs, perGroup, group }: FilterShape): boolean {
  return perGroup === 1 && group === outs && group > 1;
}

/** The shape that `widenGroups` gives. */
export function widenedShape(shape: FilterShape, depthwise = false): FilterShape {
  const { outs, perGroup, taps, group } = shape;
  if (group === 1 || (!depthwise && isDepthwise(shape))) return shape;
  if (perGroup % 4 === 0 && (outs / group) % 4 === 0) return shape;
  return { outs, perGroup: perGroup * group, taps, group: 1 };
}

/** A grouped filter whose groups are not whole words, as a dense one: other groups' taps are 0. Depthwise
 *  ones stay: they have kernels of their own. */
export function widenGroups(shape: FilterShape, data: Data): { shape: FilterShape; data: Data } {
  const widened = widenedShape(shape);
  if (widened === shape) return { shape, data };
  const { outs, perGroup, taps, group } = shape;
  const outsPerGroup = outs / group;
  const channels = perGroup * group;
  const wide = new Float64Array(outs * channels * taps);
  for (let out = 0; out < outs; out++) {
    const first = Math.floor(out / outsPerGroup) * perGroup;
    for (let i = 0; i < perGroup * taps; i++) {
      wide[(out * channels + first) * taps + i] = data[out * perGroup * taps + i] ?? 0;
    }
  }
  return { shape: widened, data: wide };
}

/** Weights less their zero points, −255 … 255, as bytes and what each output channel's lack: w = byte + offset. No
 *  offsets where all weights are bytes themselves. */
export function splitOffsets(
  weights: Data,
  outs: number,
): { readonly data: Data; readonly offsets: Int32Array | undefined } {
  const length = weights.length / Math.max(1, outs);
  const offsets = new Int32Array(outs);
  for (let out = 0; out < outs; out++) {
    let [least, greatest] = [0, 0]; // no more than 255 apart, as 0 is among them
    for (let at = out * length; at < (out + 1) * length; at++) {
      const w = weights[at] ?? 0;
      if (w < least) least = w;
      if (w > greatest) greatest = w;
    }
    offsets[out] = greatest > 127 ? greatest - 127 : least < -128 ? least + 128 : 0;
  }
  if (offsets.every((offset) => offset === 0)) return { data: weights, offsets: undefined };
  const data = new Int8Array(weights.length);
  for (let at = 0; at < data.length; at++)
    data[at] = (weights[at] ?? 0) - (offsets[Math.floor(at / length)] ?? 0);
  return { data, offsets };
}

/** (outWords, taps, inWords) of 4 × 4: output lane, then input lane. */
function packLanes<A extends Float32Array | Int8Array>(
  { outs, perGroup, taps }: FilterShape,
  data: Data,
  make: (length: number) => A,
): A {
  const inWords = Math.ceil(perGroup / 4);
  const packed = make(Math.ceil(outs / 4) * taps * inWords * 16);
  let source = 0;
  for (let out = 0; out < outs; out++) {
    const first = (out >> 2) * taps * inWords * 16 + (out & 3) * 4;
    for (let channel = 0; channel < perGroup; channel++) {
      let at = first + (channel >> 2) * 16 + (channel & 3);
      for (let tap = 0; tap < taps; tap++, at += inWords * 16) packed[at] = data[source++] ?? 0;
    }
  }
  return packed;
}

/** (outWords, taps, inWords) of mat4x4: column = output lane, row = input lane. */
export function packFloatFilter(shape: FilterShape, data: Data): Float32Array {
  return packLanes(shape, data, (length) => new Float32Array(length));
}

/** (outWords, taps, inWords) of four words: word = output lane, byte = input lane. */
export function packByteFilter(shape: FilterShape, data: Data): Int8Array {
  return packLanes(shape, data, (length) => new Int8Array(length));
}

/** The order of a filter that conv_tiled_*.wgsl stages in one run a chunk. */
export interface FilterTiles {
  /** Output words of a tile. */
  readonly words: number;
  /** Tiles of one group's output words. */
  readonly groupTiles: number;
  /** Taps × input words, filled up with 0 to whole chunks. */
  readonly steps: number;
}

/** Every element, with the step of the sum, the word of a tile of output words, and its lanes. */
function forEachTiledLane(
  shape: FilterShape,
  { words, groupTiles, steps }: FilterTiles,
  visit: (source: number, step: number, word: number, inLane: number, outLane: number) => void,
): void {
  const { outs, perGroup, taps, group } = shape;
  const outsPerGroup = outs / group;
  const inWords = Math.ceil(perGroup / 4);
  for (let out = 0; out < outs; out++) {
    const own = Math.floor(out / outsPerGroup);
    const groupWord = Math.floor((out % outsPerGroup) / 4);
    const tile = own * groupTiles + Math.floor(groupWord / words);
    for (let channel = 0; channel < perGroup; channel++) {
      for (let tap = 0; tap < taps; tap++) {
        const step = tile * steps + tap * inWords + Math.floor(channel / 4);
        const source = (out * perGroup + channel) * taps + tap;
        visit(source, step, groupWord % words, channel % 4, out % 4);
      }
    }
  }
}

function tiledLength({ group }: FilterShape, { words, groupTiles, steps }: FilterTiles): number {
  return group * groupTiles * steps * words * 16;
}

/** (tiles, steps, 4, tile's words) of four numbers: axis 2 = input lane, number = output lane. */
export function packTiledFloatFilter(
  shape: FilterShape,
  data: Data,
  order: FilterTiles,
): Float32Array {
  const packed = new Float32Array(tiledLength(shape, order));
  forEachTiledLane(shape, order, (source, step, word, inLane, outLane) => {
    packed[((step * 4 + inLane) * order.words + word) * 4 + outLane] = data[source] ?? 0;
  });
  return packed;
}

/** (tiles, steps, tile's words) of four words: word = output lane, byte = input lane. */
export function packTiledByteFilter(shape: FilterShape, data: Data, order: FilterTiles): Int8Array {
  const packed = new Int8Array(tiledLength(shape, order));
  forEachTiledLane(shape, order, (source, step, word, inLane, outLane) => {
    packed[(step * order.words + word) * 16 + outLane * 4 + inLane] = data[source] ?? 0;
  });
  return packed;
}

/** The order of a filter that conv_matrix_i8.wgsl reads, a matrix in one run. */
export interface FilterMatrices {
  /** Output channels and input bytes of a matrix. */
  readonly n: number;
  readonly k: number;
  /** Matrices of a tile along output channels, and tiles of one group's. */
  readonly wide: number;
  readonly groupTiles: number;
  /** Matrices along taps × input bytes, the last ones filled up with 0. */
  readonly deep: number;
}

/** (tiles, deep, wide, n) of k bytes: input lanes of one output channel. */
export function packMatrixByteFilter(
  { outs, perGroup, taps, group }: FilterShape,
  data: Data,
  { n, k, wide, groupTiles, deep }: FilterMatrices,
): Int8Array {
  const packed = new Int8Array(group * groupTiles * deep * wide * n * k);
  const outsPerGroup = outs / group;
  const inBytes = Math.ceil(perGroup / 4) * 4;
  for (let out = 0; out < outs; out++) {
    const channel = out % outsPerGroup;
    const tile = Math.floor(out / outsPerGroup) * groupTiles + Math.floor(channel / (wide * n));
    const column = channel % (wide * n);
    for (let tap = 0; tap < taps; tap++) {
      for (let input = 0; input < perGroup; input++) {
        const term = tap * inBytes + input;
        const matrix = (tile * deep + Math.floor(term / k)) * wide + Math.floor(column / n);
        packed[(matrix * n + (column % n)) * k + (term % k)] =
          data[(out * perGroup + input) * taps + tap] ?? 0;
      }
    }
  }
  return packed;
}

/** (words, taps) of four channels, for a depthwise filter (outs, 1, taps). */
export function packDepthwise<A extends Float32Array | Int8Array | Int32Array>(
  { outs, taps }: FilterShape,
  data: Data,
  make: (length: number) => A,
): A {
  const packed = make(Math.ceil(outs / 4) * taps * 4);
  for (let out = 0; out < outs; out++) {
    for (let tap = 0; tap < taps; tap++) {
      packed[(Math.floor(out / 4) * taps + tap) * 4 + (out % 4)] = data[out * taps + tap] ?? 0;
    }
  }
  return packed;
}

/** `values` padded with 0 to whole words. */
export function padWords<A extends Float32Array | Int32Array>(
  values: ArrayLike<number>,
  make: (length: number) => A,
): A {
  const padded = make(Math.max(4, Math.ceil(values.length / 4) * 4));
  for (let i = 0; i < values.length; i++) padded[i] = values[i] ?? 0;
  return padded;
}
