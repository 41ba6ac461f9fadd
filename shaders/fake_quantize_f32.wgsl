// use lib/grid.wgsl
// use lib/steps.wgsl
//
// out = dequantize(quantize(x))                                        docs/quantization.md (2), (7)
//
// All in float, and the same numbers as quantize_f32 then dequantize_i8. The layout stays. An
// invocation owns one word.

override WORKGROUP: u32 = 64;

struct Params {
  count: u32, // words
  scale: f32,
  reciprocal: f32, // fl(1 / scale), from the host
  zeroPoint: i32,
  qmin: i32,
  qmax: i32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;         // (count)
@group(0) @binding(2) var<storage, read_write> out: array<vec4f>; // (count)

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = flatIndex(id, groups, WORKGROUP);
  if (index >= params.count) { return; }
  let q = vec4i(stepsOf(x[index], params.reciprocal));
  let low = vec4i(params.qmin - params.zeroPoint);
  let high = vec4i(params.qmax - params.zeroPoint);
  out[index] = vec4f(clamp(q, low, high)) * params.scale;
}
