// use lib/grid.wgsl
// use lib/steps.wgsl
// use lib/slices.wgsl
//
// out = gradient where qmin ≤ z + rint(fl(x · reciprocal)) ≤ qmax, else 0    docs/quantization.md (18)
//
// The straight-through gradient of fake_quantize_f32, which rounds by the same line: the mask is of the
// rounded steps, not of x. All three tensors have one layout, which stays. An invocation owns one word.

override WORKGROUP: u32 = 64;

struct Params {
  count: u32,  // words
  slices: u32, // of the axis
  inner: u32,  // words of a slice, or of the last axis: lib/slices.wgsl
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;         // (count)
@group(0) @binding(2) var<storage, read> gradient: array<vec4f>;  // (count)
@group(0) @binding(3) var<storage, read> steps: array<vec4f>;     // (slices)
@group(0) @binding(4) var<storage, read_write> out: array<vec4f>; // (count)

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = flatIndex(id, groups, WORKGROUP);
  if (index >= params.count) { return; }
  let lanes = lanesOf(index);
  let q = stepsOf(x[index], lanes.reciprocal);
  let inside = (q >= lanes.low) & (q <= lanes.high);
  out[index] = select(vec4f(0.0), gradient[index], inside);
}
