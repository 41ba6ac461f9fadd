// use lib/grid.wgsl
// use lib/divide.wgsl
//
// out[c] = s, fl(1 / s), qmin − z, qmax − z with s = max(scale, eps), z = clamp(rint(zeroPoint), qmin, qmax)
//                                                                              docs/quantization.md (19)
//
// What fake-quantization and its gradient read of a scale and zero point that live on the device. An invocation
// owns one slice.

override WORKGROUP: u32 = 64;

struct Params {
  slices: u32,
  qmin: f32,
  qmax: f32,
  eps: f32, // normal
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> scale: array<f32>;       // (slices)
@group(0) @binding(2) var<storage, read> zeroPoint: array<f32>;   // (slices)
@group(0) @binding(3) var<storage, read_write> out: array<vec4f>; // (slices)

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let slice = flatIndex(id, groups, WORKGROUP);
  if (slice >= params.slices) { return; }
  let s = max(scale[slice], params.eps);
  let z = clamp(round(zeroPoint[slice]), params.qmin, params.qmax);
  out[slice] = vec4f(s, divide(1.0, s), params.qmin - z, params.qmax - z);
}
