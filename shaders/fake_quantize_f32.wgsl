// use lib/grid.wgsl
// use lib/steps.wgsl
// use lib/slices.wgsl
//
// out = dequantize(quantize(x))                                        docs/quantization.md (2), (7)
//
// All in float, and the same numbers as quantize_f32 then dequantize_i8. The layout stays. An
// invocation owns one word.

override WORKGROUP: u32 = 64;

struct Params {
  count: u32,  // words
  slices: u32, // of the axis
  inner: u32,  // words of a slice, or of the last axis: lib/slices.wgsl
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;         // (count)
@group(0) @binding(2) var<storage, read> steps: array<vec4f>;     // (slices)
@group(0) @binding(3) var<storage, read_write> out: array<vec4f>; // (count)

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = flatIndex(id, groups, WORKGROUP);
  if (index >= params.count) { return; }
  let lanes = lanesOf(index);
  let q = vec4i(stepsOf(x[index], lanes.reciprocal));
  out[index] = vec4f(clamp(q, vec4i(lanes.low), vec4i(lanes.high))) * lanes.scale;
}
