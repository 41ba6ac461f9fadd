// Products by a weight of few bits (docs/quantization.md, section 18): the weight is packed once, in one order
// that every kernel family reads, and unpacked in registers; the device never holds it in float.

import type { Clamp, Node } from "../../graph/node.ts";
import type { QParams } from "../../graph/value.ts";
import { paramsShape } from "../../graph/value.ts";
import { whyNotStored } from "../../graph/weightOnly.ts";
import { packNibbles } from "../../tensor/nibbles.ts";
import { fl } from "../../tensor/rounding.ts";
import { sizeOf, type Tensor } from "../../tensor/tensor.ts";
import type { StepArgs } from "../builder.ts";
import { fit, type RegisterTile } from "../tiles.ts";
import { floatBounds, workgroups, type Lowering, type Placed } from "./context.ts";
import { quadGroups } from "./quads.ts";
import { padWords } from "./filters.ts";
import { emitReshape } from "./movement.ts";

/** How elements of each dtype lie on the device: their bits, what is subtracted before they are stored, and
 *  the power of two that they leave shaders/lib/weights.wgsl with. */
const forms = {
  float16: { bits: 16, shift: 0, unit: 1 },
  int8: { bits: 8, shift: 0, unit: 2 ** 24 },
  uint8: { bits: 8, shift: 128, unit: 2 ** 24 },
  int4: { bits: 4, shift: -8, unit: 2 ** 12 },
  uint4: { bits: 4, shift: 0, unit: 2 ** 12 },
} as const;

interface Packed {
  readonly bits: 4 | 8 | 16;
  /** Whether zero points lie behind the scales: some are not the kernel's own. */
  readonly zeros: boolean;
  /** (outWords, steps, 8 input lanes, 4 output lanes). */
  readonly weights: Uint8Array | Int8Array | Uint16Array;
  /** (outWords, blocks, 1 or 2, 4 output lanes). */
  readonly scales: Float32Array;
  readonly blocks: number;
  readonly blockSteps: number;
  readonly outs: number;
  readonly ins: number;
}

/** The weight (ins, outs), or with `transposed` (outs, ins), as the kernels read it. Lanes past the end are
 *  0 as real numbers. alpha multiplies the scales. */
export function packWeight(
  weight: Tensor,
  quant: QParams | undefined,
  transposed: boolean,
  alpha = 1,
): Packed {
  const form = forms[weight.dtype as keyof typeof forms];
  const [first = 0, second = 0] = weight.shape;
  const [outs, ins] = transposed ? [first, second] : [second, first];
  const [outWords, steps] = [Math.ceil(outs / 4), Math.ceil(ins / 8)];
  const blockSize = Math.min(quant?.blockSize ?? ins, ins);
  const blocks = Math.max(1, Math.ceil(ins / Math.max(1, blockSize)));
  const blockSteps = Math.max(1, Math.ceil(blockSize / 8));
  // Scales are (ins' blocks, outs) or (outs, ins' blocks), one of them 1 where the axis has no parameters.
  const shape = quant ? paramsShape(quant, weight.shape) : [];
  const stridesOf = (): readonly [number, number] => {
    if (shape.length === 0) return [0, 0];
    if (shape.length === 1) return [0, 1];
    return transposed ? [1, shape[1] ?? 1] : [shape[1] ?? 1, 1];
  };
  const [blockStride, outStride] = stridesOf();
  const own = form.bits === 4 ? 8 : 0;
  const zeroAt = (out: number, block: number) =>
    quant ? (quant.zeroPoint[block * blockStride + out * outStride] ?? 0) - form.shift : 0;
  const zeros = quant !== undefined && quant.zeroPoint.some((zero) => zero - form.shift !== own);
  const parts = zeros ? 2 : 1;
  const scales = new Float32Array(Math.max(1, outWords * blocks) * parts * 4);
  const codes = new (form.bits === 16 ? Uint16Array : form.bits === 8 ? Int8Array : Uint8Array)(
    Math.max(1, outWords * steps) * 32,
  );
  for (let out = 0; out < outs; out++) {
    const word = out >> 2;
    for (let block = 0; block < blocks; block++) {
      const at = (word * blocks + block) * parts * 4 + (out & 3);
      const scale = quant ? (quant.scale[block * blockStride + out * outStride] ?? 1) : 1;
      scales[at] = fl(scale * alpha) / form.unit;
      if (zeros) scales[at + 4] = zeroAt(out, block) * form.unit;
    }
    for (let i = 0; i < steps * 8; i++) {
      const source = transposed ? out * ins + i : i * outs + out;
      const to = (word * steps * 8 + i) * 4 + (out & 3);
      const block = Math.min(blocks - 1, Math.floor((i >> 3) / blockSteps));
      codes[to] = i < ins ? Number(weight.data[source] ?? 0) - form.shift : zeroAt(out, block);
    }
  }
  const weights = form.bits === 4 ? packNibbles(codes) : codes;
  return { bits: form.bits, zeros, weights, scales, blocks, blockSteps, outs, ins };
}

/** An embedding's table (rows, elements), dense, with (scale, zero point) of each block of a row. */
export function packTable(table: Tensor, quant: QParams | undefined) {
  const { bits, shift } = forms[table.dtype as keyof typeof forms];
  const [rows = 0, inner = 0] = table.shape;
  const blockSize = Math.max(1, Math.min(quant?.blockSize ?? inner, inner));
  const blocks = Math.max(1, Math.ceil(inner / blockSize));
  const Codes = bits === 16 ? Uint16Array : bits === 8 ? Int8Array : Uint8Array;
  const data = new Codes(table.data.length);
  for (let at = 0; at < data.length; at++) data[at] = Number(table.data[at] ?? 0) - shift;
  const perTensor = quant?.scale.length === 1;
  const scales = new Float32Array(Math.max(1, rows * blocks) * 2).map((_, at) => {
    const index = perTensor ? 0 : at >> 1;
    if (at & 1) return quant ? (quant.zeroPoint[index] ?? 0) - shift : 0;
    return quant?.scale[index] ?? 1;
  });
  const codes = wholeWords(bits === 4 ? packNibbles(data) : data);
  return { bits, codes, scales, blockSize, blocks };
}

/** The bytes of `data`, filled up to words of four, at least one. */
function wholeWords({ buffer, byteOffset, byteLength }: Uint8Array | Int8Array | Uint16Array) {
  const bytes = new Uint8Array(Math.max(4, Math.ceil(byteLength / 4) * 4));
  bytes.set(new Uint8Array(buffer, byteOffset, byteLength));
  return bytes;
}

interface Options {
  readonly transposed: boolean;
  readonly alpha: number;
  readonly bias: ArrayLike<number> | undefined;
  readonly clamp: Clamp;
}

/** out (rows, N) = x (rows, K) · weight, of any number of leading axes. */
export function lowerWeightRows(
  lowering: Lowering,
  node: Node,
  x: Placed,
  out: Placed,
  options: Options,
): void {
  const name = lowering.inputName(node, 1);
  const weight = lowering.constant(name);
  const quant = lowering.quant(name);
  const problem = weight
    ? whyNotStored(node, weight.shape, quant)
    : `weight "${name}" must be a constant`;
  if (!weight || problem !== undefined) throw lowering.unsupported(node, problem ?? "no weight");
  const { transposed, alpha } = options;
  const packed = lowering.memo(node, "weight", () => packWeight(weight, quant, transposed, alpha));
  const rows = sizeOf(x.layout.logical) / Math.max(1, packed.ins);
  if (out.layout.words === 0) return;
  // Rows lie one after the other but where four axes put the second one last.
  const isMoved = x.layout.logical.length === 4;
  const [from, to] = isMoved
    ? [lowering.scratch([rows, packed.ins]), lowering.scratch([rows, packed.outs])]
    : [x, out];
  if (isMoved) emitReshape(lowering, node, x, from);
  const count = packed.ins === 0 ? sizeOf(out.layout.logical) / packed.outs : rows;
  emit(lowering, node, packed, { x: from, out: to, rows: count, options });
  if (isMoved) emitReshape(lowering, node, to, out);
}

function emit(
  lowering: Lowering,
  node: Node,
  packed: Packed,
  at: { x: Placed; out: Placed; rows: number; options: Options },
): void {
  const { plan } = lowering;
  const { rows, options } = at;
  const [outWords, inWords] = [Math.ceil(packed.outs / 4), Math.ceil(packed.ins / 4)];
  const bias = options.bias ?? new Float32Array(packed.outs);
  const flags = { BITS: packed.bits, ZEROS: packed.zeros ? 1 : 0 };
  const step = {
    node: node.name,
    uniforms: {
      rows,
      outWords,
      last: packed.outs,
      inWords,
      steps: Math.ceil(packed.ins / 8),
      blocks: packed.blocks,
      blockSteps: packed.blockSteps,
      ...floatBounds(options.clamp),
    },
    buffers: {
      x: at.x.ref,
      weights: lowering.packed(node, "weights", () => packed.weights),
      scales: lowering.packed(node, "scales", () => packed.scales),
      bias: lowering.packed(node, "weights' bias", () =>
        padWords(bias, (length) => new Float32Array(length)),
      ),
      out: at.out.ref,
    },
  };
  const sizes = { dtype: "f32", m: rows, n: outWords, k: inWords, groups: 1 } as const;
  const { tile, m } = lowering.tileFor(node, sizes);
  switch (tile.family) {
    case "gemv": {
      const { lanes, columns, pixels } = tile;
      const overrides = { ...flags, LANES: lanes, COLUMNS: columns, ROWS: pixels };
      const groups = Math.ceil(rows / pixels) * Math.ceil(outWords / columns);
      return plan.step("gemvWeights", { ...step, overrides, groups });
    }
    case "workgroup": {
      const { down, across, rows: own, words, chunk } = tile;
      const overrides = {
        ...flags,
        ...{ DOWN: down, ACROSS: across, ROWS: own, WORDS: words, CHUNK: chunk },
        ...{ X_LOADS: (own * chunk) / across, W_LOADS: (4 * words * chunk) / down },
      };
      const groups = Math.ceil(rows / (down * own)) * Math.ceil(outWords / (across * words));
      return plan.step("matmulTiledWeights", { ...step, overrides, groups });
    }
    case "register":
      return emitRegisters(lowering, tile, m, { ...step, overrides: flags });
    case "matrix":
      throw new Error("matrices are of int8; please report.");
    default:
      return tile satisfies never;
  }
}

type RegisterStep = Omit<StepArgs<"matmulWeights">, "groups">;

/** `m`: the rows that `tile` was chosen for. */
function emitRegisters(
  lowering: Lowering,
  tile: RegisterTile,
  m: number,
  step: RegisterStep,
): void {
  const { rows, outWords } = step.uniforms;
  const { pixels, words, quads } = tile;
  if (quads && m > 1) {
    const tiles = Math.ceil(rows / pixels) * Math.ceil(outWords / (words * 4));
    const { groups, overrides: own } = quadGroups(lowering.target, tiles);
    const overrides = { ...step.overrides, QUARTER: pixels / 4, WORDS: words, ...own };
    lowering.plan.step("matmulQuadWeights", { ...step, overrides, groups });
    return;
  }
  const [own, wide] = [fit(pixels, m), fit(words, outWords)];
  const overrides = { ...step.overrides, ROWS: own, WORDS: wide };
  const groups = workgroups(Math.ceil(rows / own) * Math.ceil(outWords / wide));
  lowering.plan.step("matmulWeights", { ...step, overrides, groups });
}
