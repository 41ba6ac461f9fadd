// A plan: everything one run of a graph does on a GPU, as plain data. Steps name a shader, its
// overrides, its uniforms and slices of buffers. It can be printed, counted, compared and replayed,
// and it holds no WebGPU object.

import type { shaders } from "../gpu/shaders.gen.ts";
import type { DType } from "../tensor/dtype.ts";

export type Shaders = typeof shaders;
export type ShaderName = keyof Shaders;

/** Part of a buffer; offset and size in bytes, the offset a multiple of 256. */
export interface Slice {
  /** Index into Plan.buffers. */
  readonly buffer: number;
  readonly offset: number;
  readonly size: number;
}

/** What a buffer is for decides its usage flags and whether it is filled once. */
export type BufferRole = "arena" | "constants" | "state" | "variable" | "input" | "output";

export interface BufferSpec {
  readonly role: BufferRole;
  /** Bytes. */
  readonly size: number;
}

/** One dispatch. */
export interface Step {
  /** The graph node it belongs to. */
  readonly node: string;
  readonly shader: ShaderName;
  readonly overrides: Readonly<Record<string, number>>;
  readonly uniforms: Readonly<Record<string, number>>;
  /** Binding name → slice. */
  readonly buffers: Readonly<Record<string, Slice>>;
  /** Workgroups in x and y. */
  readonly grid: readonly [number, number];
}

/** Bytes to upload when the plan is loaded. */
export interface Upload {
  readonly slice: Slice;
  readonly data: ArrayBufferView;
}

/** A tensor at the plan's border: dense, row-major, `dtype` elements. */
export interface Port {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly slice: Slice;
  /** Added to every stored element to get the caller's: 128 where uint8 is kept as int8. */
  readonly shift: number;
}

/** Numbers that a sink node (Observe, Compare) accumulates, read back on request. */
export interface StateSlot {
  readonly node: string;
  /** The observed value, and its shape in this plan. */
  readonly value: string;
  readonly shape: readonly number[];
  /** Words in use; the slice is padded. */
  readonly words: number;
  /** What a run sets to 0 before its first step: offset in the slot and size, bytes. */
  readonly cleared?: readonly (readonly [number, number])[];
  readonly slice: Slice;
}

/** What a run must not have seen: the slot holds the least and the greatest value out of range as two int32,
 *  both 0 where there was none. */
export interface Check {
  readonly op: string;
  readonly node: string;
  /** What was checked, in words: "indices". */
  readonly what: string;
  /** The range. */
  readonly least: number;
  readonly greatest: number;
  readonly slice: Slice;
}

/** A variable of the graph: starts with its upload and lives from run to run, in the layout of its shape. */
export interface Variable {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly slice: Slice;
}

export interface Plan {
  readonly buffers: readonly BufferSpec[];
  readonly steps: readonly Step[];
  /** Written once, when the plan is loaded. */
  readonly uploads: readonly Upload[];
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  readonly states: readonly StateSlot[];
  readonly variables: readonly Variable[];
  /** Read back with whatever a run reads back; the run fails where one was not met. */
  readonly checks: readonly Check[];
}

/** Bytes of all buffers of one role. */
export function bytesOf(plan: Plan, role: BufferRole): number {
  return plan.buffers.reduce((sum, buffer) => sum + (buffer.role === role ? buffer.size : 0), 0);
}

/** One line per step, for logs and snapshots: `conv_i8 /block1/conv 112×1 WIDE=1`. */
export function printPlan(plan: Plan): string {
  const at = ({ buffer, offset, size }: Slice) =>
    `${plan.buffers[buffer]?.role}${buffer}+${offset}:${size}`;
  return [
    ...plan.buffers.map(({ role, size }, index) => `${role}${index}: ${size} bytes`),
    ...plan.steps.map(({ node, shader, overrides, buffers, grid }) => {
      const flags = Object.entries(overrides).map(([name, value]) => ` ${name}=${value}`);
      const slices = Object.entries(buffers).map(([name, slice]) => ` ${name}@${at(slice)}`);
      return `${shader} ${node} ${grid[0]}×${grid[1]}${flags.join("")}${slices.join("")}`;
    }),
  ].join("\n");
}
