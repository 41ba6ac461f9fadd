// LSTM and GRU. W · x for every step and direction is one product of rows, with the biases in it; then one
// dispatch walks the steps, a workgroup for each direction and slice of the batch. The state stays in its
// memory, and goes through the arena where a long sequence is cut into several dispatches.

import {
  activationsOf,
  directionsOf,
  isReverse,
  recurrentActivations,
  roleIndex,
  type RecurrentActivation,
} from "../../graph/recurrent.ts";
import type { NodeOf } from "../../graph/node.ts";
import { elementStrides, type Layout } from "../layout.ts";
import type { Ref } from "../builder.ts";
import { levelsOf } from "./dynamic.ts";
import { cellOf, packWeights, project, type Cell } from "./recurrentWeights.ts";
import type { Lowering, Placed } from "./context.ts";
import { emitReshape } from "./movement.ts";

type Recurrent = NodeOf<"LSTM" | "GRU">;

/** Vectors of four that a workgroup has room for: 16 KiB, which every device has. */
export const WORKGROUP_VECTORS = 1024;
/** Multiply-accumulates of a workgroup in one dispatch, so that it ends long before a watchdog bites. */
export const LONGEST_WALK = 2 ** 26;
const GREATEST = 3.4028234663852886e38;
const functions = Object.keys(recurrentActivations);

/** Where a state lies: strides in words of a batch element and of a direction. */
interface State {
  readonly ref: Ref;
  readonly batch: number;
  readonly direction: number;
}

function stateAt({ node }: Cell, { ref, layout }: Placed): State {
  const [first = 0, second = 0] = elementStrides(layout).map((stride) => stride / 4);
  return node.layout === 0
    ? { ref, batch: second, direction: first }
    : { ref, batch: first, direction: second };
}

/** Memory for a state between two dispatches. */
function stateRoom(lowering: Lowering, { directions, batch, words }: Cell): State {
  const ref = lowering.plan.tensor(directions * batch * words * 16);
  return { ref, batch: words, direction: batch * words };
}

function initialState(lowering: Lowering, cell: Cell, role: "initialH" | "initialC"): State {
  const index = roleIndex(cell.node, role);
  if (index !== undefined) return stateAt(cell, lowering.input(cell.node, index));
  const ref = lowering.plan.constant(new Float32Array(cell.words * 4));
  return { ref, batch: 0, direction: 0 };
}

/** Steps of each batch element: one number for all where there is no input for them. */
function lengthsOf(lowering: Lowering, { node }: Cell): { ref: Ref; stride: 0 | 1 } {
  const index = roleIndex(node, "sequenceLens");
  if (index !== undefined) return { ref: lowering.input(node, index).ref, stride: 1 };
  return { ref: lowering.plan.constant(Int32Array.of(2 ** 31 - 1)), stride: 0 };
}

/** Where Y is written: strides in words, by step, batch element and direction. */
interface Steps {
  readonly ref: Ref;
  readonly outTime: number;
  readonly outBatch: number;
  readonly outDirection: number;
  /** Whether anybody reads Y. */
  readonly isRead: boolean;
  /** What is to be done once all steps are there. */
  finish(): void;
}

/** With one direction, Y is what a Squeeze makes of it: that is written at once where it alone reads Y. */
function squeezeOf(lowering: Lowering, { node, directions }: Cell): NodeOf<"Squeeze"> | undefined {
  const name = node.outputs[0] ?? "";
  const [reader, ...others] = lowering.readers(name);
  const axis = node.layout === 0 ? 1 : 2;
  const isSole = others.length === 0 && !lowering.graph.outputs.includes(name);
  const fits = reader?.op === "Squeeze" && reader.axes.length === 1 && reader.axes[0] === axis;
  return directions === 1 && isSole && fits ? reader : undefined;
}

function stepsOf(lowering: Lowering, cell: Cell): Steps {
  const { node, time, batch, directions, words, units } = cell;
  const isBatchFirst = node.layout === 1;
  const place = (outer: number, outBatch: number, outDirection: number) => ({
    outTime: isBatchFirst ? outBatch : outer,
    outBatch: isBatchFirst ? outer : outBatch,
    outDirection,
  });
  const name = node.outputs[0] ?? "";
  if (lowering.readers(name).length === 0 && !lowering.graph.outputs.includes(name)) {
    return { ref: lowering.plan.tensor(16), ...place(0, 0, 0), isRead: false, finish: () => {} };
  }
  const inner = isBatchFirst ? time : batch;
  const squeeze = squeezeOf(lowering, cell);
  if (squeeze) {
    lowering.done.add(squeeze);
    const { ref } = lowering.output(squeeze);
    return { ref, ...place(inner * words, words, 0), isRead: true, finish: () => {} };
  }
  // Y has four axes, which lie in another order than the steps come in: they are written in their own.
  const logical = lowering.shape(name);
  const physical = [...logical.slice(0, 3), words * 4];
  const order = [0, 1, 2, 3];
  const total = directions * time * batch * words;
  const layout: Layout = { logical, order, physical, last: units, lastWords: words, words: total };
  const rows: Placed = { ...lowering.scratch([total * 4]), layout };
  const [, second = 1, third = 1] = logical;
  return {
    ref: rows.ref,
    ...(isBatchFirst
      ? { outTime: directions * words, outBatch: second * directions * words, outDirection: words }
      : { outTime: second * third * words, outBatch: words, outDirection: third * words }),
    isRead: true,
    finish: () => emitReshape(lowering, node, rows, lowering.output(node)),
  };
}

/** Directions that one dispatch can do: those of equal activations. */
function passesOf(node: Recurrent): { d: number; count: number }[] {
  if (directionsOf(node) === 1) return [{ d: 0, count: 1 }];
  const [first, second] = [0, 1].map((d) => JSON.stringify(activationsOf(node, d)));
  return first === second
    ? [{ d: 0, count: 2 }]
    : [
        { d: 0, count: 1 },
        { d: 1, count: 1 },
      ];
}

/** Workgroups, and words of a state that there is room for: few, so that few pipelines serve all sizes. */
const WORKGROUPS = [
  { WORKGROUP: 4, ROOM: 16 },
  { WORKGROUP: 16, ROOM: 16 },
  { WORKGROUP: 64, ROOM: 85 },
  { WORKGROUP: 256, ROOM: 341 },
] as const;

function workgroupOf({ words }: Cell) {
  const fits = ({ WORKGROUP, ROOM }: (typeof WORKGROUPS)[number]) =>
    words <= ROOM && words <= 2 * WORKGROUP;
  return WORKGROUPS.find(fits) ?? WORKGROUPS[3];
}

/** Batch elements of a workgroup: the weights are read once for all. On hardware more workgroups go first. */
function sliceOf(lowering: Lowering, cell: Cell): number {
  const { batch, node } = cell;
  const isWide = lowering.target.software || batch > 32;
  const wanted = isWide && node.activations === undefined ? [4, 2, 1] : [1];
  const room = 3 * workgroupOf(cell).ROOM;
  const fits = (size: number) => size <= batch && room * size <= WORKGROUP_VECTORS;
  return wanted.find(fits) ?? 1;
}

/** Words of bytes that a workgroup of a dynamic node holds: 12 KiB. */
const MOST_BYTES = 3072;

/** Few sizes of workgroup memory, so that few pipelines serve all. */
function roomFor(words: number): number {
  return [16, 256, MOST_BYTES].find((room) => words <= room) ?? MOST_BYTES;
}

/** A dynamic node whose state fits, or an error that says what does. */
function checkDynamic(lowering: Lowering, { node, batch, words }: Cell): void {
  const together = node.dynamic?.granularity === "perToken" ? 1 : batch;
  if (together * words > MOST_BYTES) {
    throw lowering.unsupported(
      node,
      `batch times hidden_size may be ${MOST_BYTES * 4} where all elements share a scale; got ${together} times ${node.hiddenSize}`,
    );
  }
  if (node.op === "GRU" && !node.linearBeforeReset) {
    throw lowering.unsupported(node, "a dynamic GRU must have linear_before_reset");
  }
}

const numberOf = ({ function: name }: RecurrentActivation) => functions.indexOf(name);
const none: RecurrentActivation = { function: "Relu", alpha: 0, beta: 0 };

export function lowerRecurrent(lowering: Lowering, node: Recurrent): void {
  const x = lowering.input(node, 0);
  if (x.dtype !== "float32" || x.quant) throw lowering.unsupported(node, "x must be float32");
  const cell = cellOf(lowering, node, x);
  const { time, batch, directions, gates, words, units } = cell;
  const isDynamic = node.dynamic !== undefined;
  if (isDynamic) checkDynamic(lowering, cell);
  else if (3 * words > WORKGROUP_VECTORS) {
    const most = Math.floor(WORKGROUP_VECTORS / 3) * 4;
    throw lowering.unsupported(node, `hidden_size ${units} is more than the ${most} that run here`);
  }
  const projected = project(lowering, cell, x);
  const { weights, extras, isWide } = packWeights(lowering, cell);
  const lengths = lengthsOf(lowering, cell);
  const steps = stepsOf(lowering, cell);
  const isLstm = node.op === "LSTM";
  let h = initialState(lowering, cell, "initialH");
  let c = isLstm ? initialState(lowering, cell, "initialC") : h;
  const last = (index: number) => stateAt(cell, lowering.output(node, index));
  const [hLast, cLast] = [last(1), isLstm ? last(2) : undefined];
  const isAlone = node.dynamic?.granularity === "perToken";
  const slice = isDynamic
    ? isAlone
      ? 1
      : Math.max(1, batch)
    : lowering.settle(node, "batch elements", () => sliceOf(lowering, cell));
  const slices = Math.ceil(batch / slice);
  const perStep = gates * units * units * slice;
  const walk = lowering.settle(node, "steps", () => Math.ceil(LONGEST_WALK / Math.max(1, perStep)));
  const walks = lowering.settle(node, "dispatches", () => Math.max(1, Math.ceil(time / walk)));
  const rowWords = directions * gates * words;
  for (let turn = 0; turn < walks; turn++) {
    const [first, isLast] = [turn * walk, turn === walks - 1];
    const room = () => stateRoom(lowering, cell);
    const to = isLast ? hLast : room();
    const toCell = cLast && (isLast ? cLast : room());
    for (const { d, count } of passesOf(node)) {
      const [f = none, g = none, out = none] = activationsOf(node, d);
      const uniforms = {
        first,
        steps: Math.max(0, Math.min(walk, time - first)),
        time,
        batch,
        units,
        words,
        slices,
        direction: d,
        reverse: Number(isReverse(node, 0)) + 2 * Number(isReverse(node, 1)),
        lengthStride: lengths.stride,
        rowTime: rowWords * (node.layout === 0 ? batch : 1),
        rowBatch: rowWords * (node.layout === 0 ? 1 : time),
        rowDirection: gates * words,
        outTime: steps.outTime,
        outBatch: steps.outBatch,
        outDirection: steps.outDirection,
        hBatch: h.batch,
        hDirection: h.direction,
        cBatch: c.batch,
        cDirection: c.direction,
        toBatch: to.batch,
        toDirection: to.direction,
        extras,
        writes: steps.isRead ? 1 : 0,
        peepholes: cell.peepholes ? 1 : 0,
        inputForget: node.op === "LSTM" && node.inputForget ? 1 : 0,
        span: slice,
        ...(node.dynamic ? levelsOf(node.dynamic) : { levels: 0, qmin: 0 }),
        clip: node.clip ?? GREATEST,
        f: numberOf(f),
        g: numberOf(g),
        h: numberOf(out),
        fAlpha: f.alpha,
        fBeta: f.beta,
        gAlpha: g.alpha,
        gBeta: g.beta,
        hAlpha: out.alpha,
        hBeta: out.beta,
      };
      const isPlain = node.activations === undefined;
      const plainOverrides = { ...workgroupOf(cell), BATCH: slice, ANY: isPlain ? 0 : 1 };
      const buffers = {
        x: projected.ref,
        weights,
        lengths: lengths.ref,
        hFrom: h.ref,
        hOut: to.ref,
        out: steps.ref,
      };
      const groups = count * slices;
      if (node.dynamic) {
        const bytes = {
          node: node.name,
          overrides: {
            WORKGROUP: workgroupOf(cell).WORKGROUP,
            ROOM: lowering.settle(node, "room", () => roomFor(slice * words)),
            ANY: isPlain ? 0 : 1,
            TORCH: node.dynamic.rule === "torch" ? 1 : 0,
            WIDE: isWide ? 1 : 0,
          },
          uniforms,
          groups,
        };
        if (toCell) {
          const cells = { cFrom: c.ref, cOut: toCell.ref };
          lowering.plan.step("lstmDynamicI8", { ...bytes, buffers: { ...buffers, ...cells } });
        } else lowering.plan.step("gruDynamicI8", { ...bytes, buffers });
      } else if (node.op === "LSTM" && toCell) {
        lowering.plan.step("lstmF32", {
          node: node.name,
          overrides: plainOverrides,
          uniforms,
          buffers: { ...buffers, cFrom: c.ref, cOut: toCell.ref },
          groups,
        });
      } else {
        const flag = node.op === "GRU" && node.linearBeforeReset ? 1 : 0;
        lowering.plan.step("gruF32", {
          node: node.name,
          overrides: { ...plainOverrides, LINEAR_BEFORE_RESET: flag },
          uniforms,
          buffers,
          groups,
        });
      }
    }
    h = to;
    c = toCell ?? to;
  }
  steps.finish();
}
