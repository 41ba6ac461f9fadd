// use lib/grid.wgsl
// use lib/dot4.wgsl
// use lib/requantize.wgsl
//
// q = clamp(zeroPoint + rint(fl(x · reciprocal)), low, high)                docs/quantization.md (2)
//
// reciprocal = fl(1 / scale) comes from the host: division is inexact on GPUs. The layout stays. An
// invocation owns one word.

override WORKGROUP: u32 = 64;

struct Params {
  count: u32, // words
  reciprocal: f32,
  zeroPoint: i32,
  low: i32,
  high: i32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;       // (count)
@group(0) @binding(2) var<storage, read_write> out: array<u32>; // (count)

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = flatIndex(id, groups, WORKGROUP);
  if (index >= params.count) { return; }
  let r = rounding(params.zeroPoint, params.low, params.high);
  out[index] = pack(requantize(x[index], vec4f(params.reciprocal), r));
}
