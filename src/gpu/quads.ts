// Whether four consecutive invocations of a workgroup are a quad: WGSL leaves it open, and kernels that
// pass values around a quad give wrong sums where they are not. Asked once a device, by trying.

import { joinParts } from "./joinParts.ts";
import { shaders } from "./shaders.gen.ts";

const INVOCATIONS = 64;
const STORAGE_COPY_SRC = 0x80 | 0x4;
const MAP_READ_COPY_DST = 0x1 | 0x8;

/** True where conv_quad_*.wgsl may run on `gpu`. */
export async function hasQuads(gpu: GPUDevice): Promise<boolean> {
  if (!gpu.features.has("subgroups")) return false;
  const size = INVOCATIONS * 4;
  const out = gpu.createBuffer({ size, usage: STORAGE_COPY_SRC });
  const readback = gpu.createBuffer({ size, usage: MAP_READ_COPY_DST });
  try {
    const module = gpu.createShaderModule({ code: joinParts(shaders.probeQuads, false) });
    const pipeline = await gpu.createComputePipelineAsync({
      layout: "auto",
      compute: { module, entryPoint: "main" },
    });
    const layout = pipeline.getBindGroupLayout(0);
    const entries = [{ binding: 0, resource: { buffer: out } }];
    const encoder = gpu.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, gpu.createBindGroup({ layout, entries }));
    pass.dispatchWorkgroups(1);
    pass.end();
    encoder.copyBufferToBuffer(out, 0, readback, 0, size);
    gpu.queue.submit([encoder.finish()]);
    await readback.mapAsync(0x1);
    return new Uint32Array(readback.getMappedRange()).every((fits) => fits === 1);
  } catch {
    return false; // a driver that cannot compile the probe has no use for the kernels either
  } finally {
    out.destroy();
    readback.destroy();
  }
}
