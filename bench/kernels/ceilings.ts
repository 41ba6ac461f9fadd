// What the adapter can do at most, by the bench's own loops: float multiply-adds, int8 multiply-adds,
// and a copy. A kernel's share of these says how good it is; its time alone says only how fast the
// adapter is. Integers may use float's rate too: a product of int8 is exact in f32.

import type { Device } from "../../src/gpu/device.ts";
import type { CeilingKind, Ceilings } from "../core/rows.ts";
import copyCode from "./ceilings/copy.wgsl?raw";
import dotCode from "./ceilings/dot.wgsl?raw";
import floatCode from "./ceilings/float.wgsl?raw";
import unpackedCode from "./ceilings/unpacked.wgsl?raw";

interface LoopSpec {
  readonly name: string;
  readonly kind: CeilingKind;
  readonly code: string;
  readonly entryPoint: string;
  /** Multiply-adds of one invocation in one step. */
  readonly macs: number;
}

const LOOPS: readonly LoopSpec[] = [
  { name: "float 4 vectors", kind: "float", code: floatCode, entryPoint: "vectors4", macs: 16 },
  { name: "float 8 vectors", kind: "float", code: floatCode, entryPoint: "vectors8", macs: 32 },
  { name: "float rows", kind: "rows", code: floatCode, entryPoint: "rows", macs: 512 },
  { name: "float matrices", kind: "float", code: floatCode, entryPoint: "matrices", macs: 128 },
  { name: "dot4I8Packed", kind: "integer", code: dotCode, entryPoint: "main", macs: 32 },
  { name: "unpack + float", kind: "integer", code: unpackedCode, entryPoint: "main", macs: 64 },
];

const WORKGROUP = 64;
/** Workgroups of the loops: enough to fill any adapter. */
const GROUPS = { software: 64, gpu: 8192 };
/** Bytes copied: beyond any cache. */
const COPY_BYTES = { software: 2 ** 26, gpu: 2 ** 28 };
/** ms that one measurement should take, so that submitting is nothing beside it. */
const LONG = 20;
const ROUNDS = 4;

/** A loop that can be run for its rate at any time. */
export interface Loop {
  readonly name: string;
  readonly kind: CeilingKind;
  /** GOP/s (2 a multiply-add), or GB/s (read and written), of one run. */
  rate(): Promise<number>;
}

export class CeilingLoops implements Disposable {
  readonly loops: readonly Loop[];
  readonly #buffers: readonly GPUBuffer[];
  readonly #device: Device;

  private constructor(device: Device, loops: readonly Loop[], buffers: readonly GPUBuffer[]) {
    this.#device = device;
    this.loops = loops;
    this.#buffers = buffers;
  }

  static async create(device: Device): Promise<CeilingLoops> {
    const buffers: GPUBuffer[] = [];
    const make = (size: number, usage: number) => {
      const buffer = device.createBuffer({ label: "ceiling", size, usage });
      buffers.push(buffer);
      return buffer;
    };
    const loops: Loop[] = [];
    for (const spec of LOOPS) {
      // The feature may be missing; then so is this loop.
      const loop = await arithmetic(device, spec, make).catch((error: unknown) => {
        if (spec.code === dotCode) return undefined;
        throw error;
      });
      if (loop) loops.push(loop);
    }
    loops.push(await copy(device, make));
    return new CeilingLoops(device, loops, buffers);
  }

  /** Every loop, measured; the best of a kind is its ceiling. */
  async measure(): Promise<Ceilings> {
    const measured: { name: string; kind: CeilingKind; rate: number }[] = [];
    for (const { name, kind, rate } of this.loops) {
      let best = 0;
      for (let round = 0; round < ROUNDS; round++) best = Math.max(best, await rate());
      measured.push({ name, kind, rate: best });
    }
    const best = (...kinds: CeilingKind[]) =>
      Math.max(...measured.filter(({ kind }) => kinds.includes(kind)).map(({ rate }) => rate));
    return {
      floatGops: best("float", "rows"),
      integerGops: best("float", "rows", "integer"),
      copyGBs: best("copy"),
      loops: measured,
    };
  }

  [Symbol.dispose](): void {
    for (const buffer of this.#buffers) this.#device.free(buffer);
  }
}

const UNIFORM = 0x40 | 0x8; // GPUBufferUsage, by value: the global is missing in Node
const STORAGE = 0x80;
const MILLION = 1e6;

type MakeBuffer = (size: number, usage: number) => GPUBuffer;

async function pipelineOf({ gpu }: Device, code: string, entryPoint: string) {
  const module = gpu.createShaderModule({ label: "ceiling", code });
  return await gpu.createComputePipelineAsync({
    layout: "auto",
    compute: { module, entryPoint, constants: { WORKGROUP } },
  });
}

function bindAll({ gpu }: Device, pipeline: GPUComputePipeline, buffers: readonly GPUBuffer[]) {
  const entries = buffers.map((buffer, binding) => ({ binding, resource: { buffer } }));
  return gpu.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
}

/** ms of `times` dispatches in one submit. */
async function timeOf(
  device: Device,
  pipeline: GPUComputePipeline,
  group: GPUBindGroup,
  grid: readonly [number, number],
  times: number,
): Promise<number> {
  const { gpu } = device;
  const start = performance.now();
  const encoder = gpu.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, group);
  for (let count = 0; count < times; count++) pass.dispatchWorkgroups(grid[0], grid[1]);
  pass.end();
  gpu.queue.submit([encoder.finish()]);
  await device.race(gpu.queue.onSubmittedWorkDone());
  return performance.now() - start;
}

async function arithmetic(device: Device, spec: LoopSpec, make: MakeBuffer): Promise<Loop> {
  const { gpu, facts } = device;
  const pipeline = await pipelineOf(device, spec.code, spec.entryPoint);
  const groups = facts.isFallback ? GROUPS.software : GROUPS.gpu;
  const params = make(16, UNIFORM);
  const group = bindAll(device, pipeline, [params, make(groups * WORKGROUP * 4, STORAGE)]);
  const run = async (steps: number) => {
    const data = new DataView(new ArrayBuffer(16));
    data.setUint32(0, steps, true);
    data.setFloat32(4, 0.9, true);
    data.setFloat32(8, 0.05, true);
    gpu.queue.writeBuffer(params, 0, data.buffer);
    return await timeOf(device, pipeline, group, [groups, 1], 1);
  };
  let steps = 64;
  await run(steps);
  while (steps < 2 ** 20 && (await run(steps)) < LONG) steps *= 2;
  const { name, kind, macs } = spec;
  return {
    name,
    kind,
    rate: async () => (2 * macs * steps * groups * WORKGROUP) / (await run(steps)) / MILLION,
  };
}

async function copy(device: Device, make: MakeBuffer): Promise<Loop> {
  const { gpu, facts } = device;
  const pipeline = await pipelineOf(device, copyCode, "main");
  const wanted = facts.isFallback ? COPY_BYTES.software : COPY_BYTES.gpu;
  const bytes = Math.min(
    wanted,
    2 ** Math.floor(Math.log2(gpu.limits.maxStorageBufferBindingSize)),
  );
  const params = make(16, UNIFORM);
  gpu.queue.writeBuffer(params, 0, Uint32Array.of(bytes / 16));
  const group = bindAll(device, pipeline, [params, make(bytes, STORAGE), make(bytes, STORAGE)]);
  const groups = bytes / 16 / WORKGROUP;
  const grid = [Math.min(groups, 32768), Math.ceil(groups / 32768)] as const;
  const run = (times: number) => timeOf(device, pipeline, group, grid, times);
  let times = 1;
  await run(times);
  while (times < 256 && (await run(times)) < LONG) times *= 2;
  return {
    name: "copy",
    kind: "copy",
    rate: async () => (2 * bytes * times) / (await run(times)) / MILLION,
  };
}
