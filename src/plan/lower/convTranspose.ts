// ConvTranspose: docs/quantization.md (90). One idea: the pixels of its output that the stride takes to one phase read
// every stride-th tap of the filter, turned round, so each phase is a convolution of stride 1 with a filter of its
// own, which the dispatch that packs it picks out; no zeros are multiplied. Depthwise, one kernel does all phases.

import type { ConvTranspose } from "../../graph/convGrads.ts";
import { elementStrides } from "../layout.ts";
import { workgroups, type Lowering, type Placed } from "./context.ts";
import { emit } from "./conv.ts";
import { widenedShape } from "./filters.ts";
import { depthwiseFilter, type FilterSource } from "./packing.ts";
import type { Geometry } from "./product.ts";

/** One phase along one axis. */
interface Phase {
  /** First output place, and how many places: every stride-th. */
  readonly first: number;
  readonly count: number;
  /** First tap, taps from one to the next, and how many: 0 where the phase reads nothing. */
  readonly tap: number;
  readonly step: number;
  readonly taps: number;
  /** Dilation and pad of the convolution that reads dY. */
  readonly dilation: number;
  readonly pad: number;
}

const divisor = (a: number, b: number): number => (b === 0 ? a : divisor(b, a % b));

/** The phases of an axis of `size` places, none of them empty. */
export function phasesOf(
  size: number,
  kernel: number,
  stride: number,
  dilation: number,
  pad: number,
): Phase[] {
  const common = divisor(stride, dilation);
  const step = stride / common;
  return Array.from({ length: Math.min(stride, size) }, (_, first): Phase => {
    // Place y = first + stride · n has output place i = n + shift − (dilation / common) · j for its j-th tap.
    const tap = Array.from({ length: Math.min(step, kernel) }, (_, at) => at).findIndex(
      (at) => (first + pad - at * dilation) % stride === 0,
    );
    const taps = tap < 0 ? 0 : Math.floor((kernel - 1 - tap) / step) + 1;
    const reach = (dilation / common) * Math.max(0, taps - 1);
    const shift = (first + pad - tap * dilation) / stride;
    return {
      ...{ first, count: Math.ceil((size - first) / stride), tap, step, taps },
      ...{ dilation: dilation / common, pad: reach - shift },
    };
  });
}

/** The taps of `rows` × `columns`, last first, of a filter (Cin, Cout / group, kh, kw). */
function sourceOf(filter: Placed, group: number, rows: Phase, columns: Phase): FilterSource {
  const [first = 0, second = 0, row = 0, column = 0] = elementStrides(filter.layout);
  const [ins = 0, outsPerGroup = 0] = filter.layout.logical;
  const perGroup = ins / group;
  const lastTap = ({ tap, step, taps }: Phase) => tap + step * (taps - 1);
  return {
    ref: filter.ref,
    ...{ outsPerGroup, perGroup, kernelWidth: columns.taps, alpha: 1 },
    strides: {
      ...{ group: perGroup * first, out: second, input: first },
      ...{ row: -rows.step * row, column: -columns.step * column },
      base: lastTap(rows) * row + lastTap(columns) * column,
    },
  };
}

export function lowerConvTranspose(lowering: Lowering, node: ConvTranspose): void {
  const [x, filter] = [lowering.input(node, 0), lowering.input(node, 1)];
  if (x.quant || filter.quant) throw lowering.unsupported(node, "it does not run in integers");
  const out = lowering.output(node);
  if (out.layout.words === 0) return;
  const { kernel, strides, dilations, pads, size, group } = node;
  const [batch = 1, ins = 1, inHeight = 1, inWidth = 1] = x.layout.logical;
  const [, outs = 1] = out.layout.logical;
  if (isCellular(node, ins, outs)) return emitCells(lowering, node, x, filter, out);
  const phases = ([0, 1] as const).map((axis) =>
    phasesOf(size[axis], kernel[axis], strides[axis], dilations[axis], pads[axis]),
  );
  const [down = [], across = []] = phases;
  const isOne = down.length === 1 && across.length === 1 && strides[0] * strides[1] === 1;
  for (const rows of down) {
    for (const columns of across) {
      const taps = rows.taps * columns.taps;
      const picture = [batch, outs, rows.count, columns.count];
      const part = isOne ? out : taps === 0 ? undefined : lowering.scratch(picture);
      if (part && taps > 0) {
        const geometry: Geometry = {
          ...{ batch, inHeight, inWidth, outHeight: rows.count, outWidth: columns.count },
          ...{ kernelHeight: rows.taps, kernelWidth: columns.taps },
          ...{ strideHeight: 1, strideWidth: 1, padTop: rows.pad, padLeft: columns.pad },
          ...{ dilationHeight: rows.dilation, dilationWidth: columns.dilation },
        };
        const shape = widenedShape({ outs, perGroup: ins / group, taps, group });
        // What is settled for one phase holds for it alone.
        const name = `${out.name} from ${rows.first},${columns.first}`;
        emit(lowering, {
          ...{ node: { ...node, outputs: [name] }, geometry, x, out: part },
          filter: { shape, source: sourceOf(filter, group, rows, columns) },
          bias: () => new Float32Array(outs),
          filterScale: undefined,
        });
      }
      if (!isOne) emitSpread(lowering, node, part, out, rows, columns);
    }
  }
}

/** Put `part` where its phase lies in `out`; without one, 0. */
function emitSpread(
  lowering: Lowering,
  node: ConvTranspose,
  part: Placed | undefined,
  out: Placed,
  rows: Phase,
  columns: Phase,
): void {
  const [batch = 1, , outHeight = 1, outWidth = 1] = out.layout.logical;
  const words = out.layout.lastWords;
  const count = batch * rows.count * columns.count * words;
  lowering.plan.step("spreadF32", {
    node: node.name,
    overrides: { ZERO: part ? 0 : 1 },
    uniforms: {
      ...{ count, words, height: rows.count, width: columns.count, outHeight, outWidth },
      ...{ strideHeight: node.strides[0], strideWidth: node.strides[1] },
      ...{ top: rows.first, left: columns.first },
    },
    buffers: { x: (part ?? lowering.input(node, 0)).ref, out: out.ref },
    groups: workgroups(count),
  });
}

/** Cells of an invocation, down and across. */
const CELLS = { ROWS: 2, COLUMNS: 2 } as const;

/** Whether the depthwise kernel that does all phases at once takes `node`: what it keeps must fit registers. */
function isCellular(node: ConvTranspose, ins: number, outs: number): boolean {
  const { group, kernel, strides, dilations } = node;
  const isStrided = Math.max(...strides) === 2;
  // Several channels of x a group, the gradient of a channel multiplier, are sums over them.
  return (
    group === ins &&
    group === outs &&
    group > 1 &&
    isStrided &&
    Math.max(...dilations) === 1 &&
    Math.max(...kernel) <= 7
  );
}

function emitCells(
  lowering: Lowering,
  node: ConvTranspose,
  x: Placed,
  filter: Placed,
  out: Placed,
): void {
  const { kernel, strides, pads, size, group } = node;
  const [batch = 1, , height = 1, width = 1] = x.layout.logical;
  const [reachHeight, reachWidth] = [0, 1].map((axis) =>
    Math.ceil((kernel[axis] ?? 1) / (strides[axis] ?? 1)),
  ) as [number, number];
  const tilesOf = (axis: 0 | 1, cells: number) =>
    Math.ceil((Math.floor((size[axis] - 1 + pads[axis]) / strides[axis]) + 1) / cells);
  const [rowTiles, columnTiles] = [tilesOf(0, CELLS.ROWS), tilesOf(1, CELLS.COLUMNS)];
  const words = out.layout.lastWords;
  const count = batch * rowTiles * columnTiles * words;
  const [first = 0, , row = 0, column = 0] = elementStrides(filter.layout);
  const shape = { outs: group, perGroup: 1, taps: kernel[0] * kernel[1], group };
  const source: FilterSource = {
    ...{ ref: filter.ref, outsPerGroup: 1, perGroup: 1, kernelWidth: kernel[1], alpha: 1 },
    strides: { group: first, out: 0, input: 0, row, column, base: 0 },
  };
  lowering.plan.step("depthwiseTransposeF32", {
    node: node.name,
    overrides: {
      ...CELLS,
      ...{ KERNEL_HEIGHT: kernel[0], KERNEL_WIDTH: kernel[1] },
      ...{ STRIDE_HEIGHT: strides[0], STRIDE_WIDTH: strides[1] },
      ...{ REACH_HEIGHT: reachHeight, REACH_WIDTH: reachWidth },
      PATCH_HEIGHT: CELLS.ROWS + reachHeight - 1,
      PATCH_WIDTH: CELLS.COLUMNS + reachWidth - 1,
    },
    uniforms: {
      ...{ count, rowTiles, columnTiles, height, width, words },
      ...{ outHeight: size[0], outWidth: size[1], padTop: pads[0], padLeft: pads[1] },
    },
    buffers: {
      x: x.ref,
      filters: depthwiseFilter(lowering, { node, filter: { shape, source } }),
      out: out.ref,
    },
    groups: workgroups(count),
  });
}
