// Which int8 matrices of subgroups a device multiplies right. The feature is experimental: browsers differ
// in its syntax and in what they count strides in, and a wrong reading runs at full speed. So nothing
// is believed: every reading that browsers had is tried on a product whose sums are known, and a
// size that no reading gets right is refused.

import { joinParts } from "./joinParts.ts";
import { shaders } from "./shaders.gen.ts";

/** result (m, n) of i32 += left (m, k) · right (k, n) of i8. */
export interface MatrixSizes {
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

/** A reading of the builtins, as the shaders' tile sizes choose it. */
export interface MatrixForm {
  readonly name: string;
  /** MATRIX_FORM: 0 emulated, 1 lib/matrix.wgsl, 2 lib/matrix_flag.wgsl. */
  readonly index: 0 | 1 | 2;
  /** BYTES: places of i8 count in words (1) or in bytes (4). */
  readonly bytes: 1 | 4;
}

/** Sizes that an adapter offers, and what came of them. */
export interface MatrixFacts extends MatrixSizes {
  /** Invocations of a subgroup, and what a workgroup's size must be a multiple of. */
  readonly lanes: number;
  readonly widest: number;
  /** The reading that gave the right sums; absent where none did. */
  readonly form?: MatrixForm;
  /** Why they are refused, by reading. */
  readonly refused?: Readonly<Record<string, string>>;
}

/** The newest first. */
export const matrixForms: readonly MatrixForm[] = [
  { name: "template, words", index: 1, bytes: 1 },
  { name: "template, bytes", index: 1, bytes: 4 },
  { name: "flag, bytes", index: 2, bytes: 4 },
  { name: "flag, words", index: 2, bytes: 1 },
];

/** Plain WGSL with the same meaning, for tests. */
export const emulatedForm: MatrixForm = { name: "emulated", index: 0, bytes: 1 };

const STEPS = 2;

/** What a probe is asked: sizes of probe_matrix.wgsl, its operands as bytes, and the right sums. */
export interface MatrixQuestion {
  readonly sizes: Readonly<Record<string, number>>;
  readonly x: Int8Array;
  readonly filters: Int8Array;
  readonly sums: Int32Array;
}

/** Bytes that repeat nowhere near: all 256 values, −128 among them. */
function noise(length: number, from: number): Int8Array {
  let state = from;
  return Int8Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  });
}

/** The question for one size. */
export function matrixQuestion(unit: MatrixFacts): MatrixQuestion {
  const { m, n, k, lanes, widest } = unit;
  const subgroups = Math.max(2, widest / lanes);
  const line = STEPS * k;
  const x = noise(subgroups * m * line, 1);
  const filters = noise(STEPS * subgroups * n * k, 2);
  const sums = new Int32Array(m * subgroups * n);
  for (let row = 0; row < m; row++) {
    for (let s = 0; s < subgroups; s++) {
      for (let column = 0; column < n; column++) {
        let sum = 0;
        for (let at = 0; at < line; at++) {
          const step = Math.floor(at / k);
          const weight = filters[((step * subgroups + s) * n + column) * k + (at % k)] ?? 0;
          sum += (x[(s * m + row) * line + at] ?? 0) * weight;
        }
        sums[(row * subgroups + s) * n + column] = sum;
      }
    }
  }
  const staged = Math.max(subgroups * m * (line / 4 + 4), m * subgroups * n);
  const sizes = { M: m, N: n, K: k, LANES: lanes, SUBGROUPS: subgroups, STEPS, STAGED: staged };
  return { sizes, x, filters, sums };
}

/** The probe's text for one reading. */
export function probeCode({ sizes }: MatrixQuestion, { index, bytes }: MatrixForm): string {
  const form = { MATRIX_FORM: index, BYTES: bytes, PINNED: index === 0 ? 0 : 1 };
  return joinParts(shaders.probeMatrix, false, { ...sizes, ...form });
}

const STORAGE = 0x80; // GPUBufferUsage, by value: the global is missing in Node
const STORAGE_COPY_SRC = 0x80 | 0x4;
const MAP_READ_COPY_DST = 0x1 | 0x8;

/** The sums that `code` finds. Throws where it does not compile, or the device is lost. */
export async function askMatrices(
  gpu: GPUDevice,
  code: string,
  { x, filters, sums }: MatrixQuestion,
): Promise<Int32Array> {
  const filled = (data: Int8Array) => {
    const size = data.byteLength;
    const buffer = gpu.createBuffer({ size, usage: STORAGE, mappedAtCreation: true });
    new Int8Array(buffer.getMappedRange()).set(data);
    buffer.unmap();
    return buffer;
  };
  const size = sums.byteLength;
  const buffers = [
    filled(x),
    filled(filters),
    gpu.createBuffer({ size, usage: STORAGE_COPY_SRC }),
    gpu.createBuffer({ size, usage: MAP_READ_COPY_DST }),
  ] as const;
  try {
    gpu.pushErrorScope("validation"); // a reading that the browser does not know is no error of the page
    const module = gpu.createShaderModule({ label: "probe_matrix", code });
    const compiled = gpu.createComputePipelineAsync({
      layout: "auto",
      compute: { module, entryPoint: "main" },
    });
    const [pipeline] = await Promise.all([compiled, gpu.popErrorScope()]);
    const [left, right, out, readback] = buffers;
    const entries = [left, right, out].map((buffer, binding) => ({
      binding,
      resource: { buffer },
    }));
    const encoder = gpu.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, gpu.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }));
    pass.dispatchWorkgroups(1);
    pass.end();
    encoder.copyBufferToBuffer(out, 0, readback, 0, size);
    gpu.queue.submit([encoder.finish()]);
    await readback.mapAsync(0x1);
    return new Int32Array(readback.getMappedRange().slice(0));
  } finally {
    for (const buffer of buffers) buffer.destroy();
  }
}

/** What is wrong with a reading, in words; undefined where nothing is. */
async function refusal(gpu: GPUDevice, unit: MatrixFacts, form: MatrixForm) {
  const question = matrixQuestion(unit);
  try {
    const got = await askMatrices(gpu, probeCode(question, form), question);
    const wrong = question.sums.filter((sum, index) => sum !== got[index]).length;
    return wrong === 0 ? undefined : `${wrong} of ${got.length} sums are wrong`;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return /error: .*/.exec(reason)?.[0] ?? reason.split("\n")[0] ?? "";
  }
}

/** Try `sizes` on a device that has the feature. `subgroup` is the adapter's least and greatest size. */
export async function admitMatrices(
  gpu: GPUDevice,
  sizes: readonly MatrixSizes[],
  subgroup: { readonly least: number; readonly greatest: number },
  forms: readonly MatrixForm[] = matrixForms,
): Promise<MatrixFacts[]> {
  const { least, greatest } = subgroup;
  const fitting = [32, least, greatest].filter((lanes) => lanes >= least && lanes <= greatest);
  const found: MatrixFacts[] = [];
  for (const size of sizes) {
    const refused: Record<string, string> = {};
    let admitted: MatrixFacts | undefined;
    for (const lanes of new Set(fitting)) {
      const unit = { ...size, lanes, widest: greatest };
      for (const form of admitted ? [] : forms) {
        const reason = await refusal(gpu, unit, form);
        if (reason === undefined) {
          admitted = { ...unit, form };
          break;
        }
        refused[`${form.name}, ${lanes} lanes`] = reason;
      }
    }
    found.push(admitted ?? { ...size, lanes: fitting[0] ?? greatest, widest: greatest, refused });
  }
  return found;
}

/** The sizes of i8 · i8 → i32 that an adapter reports and these kernels can use. */
export function matrixSizes(info: GPUAdapterInfo): MatrixSizes[] {
  const { subgroupMatrixConfigs: configs = [] } = info as { subgroupMatrixConfigs?: Config[] };
  return [...configs]
    .filter(({ componentType, resultComponentType: result }) => {
      return componentType === "i8" && result === "i32";
    })
    .map(({ M: m, N: n, K: k }) => ({ m, n, k }))
    .filter(({ m, n, k }) => m % 4 === 0 && n % 4 === 0 && k % 16 === 0);
}

/** Of the experimental API, as Chromium has it; @webgpu/types does not know it. */
interface Config {
  readonly componentType: string;
  readonly resultComponentType: string;
  readonly M: number;
  readonly N: number;
  readonly K: number;
}
