// use lib/grid.wgsl
// use lib/steps.wgsl
//
// out = gradient where qmin ≤ z + rint(fl(x · reciprocal)) ≤ qmax, else 0    docs/quantization.md (18)
//
// The straight-through gradient of fake_quantize_f32, which rounds by the same line: the mask is of the
// rounded steps, not of x. All three tensors have one layout, which stays. An invocation owns one word.

override WORKGROUP: u32 = 64;

struct Params {
  count: u32, // words
  reciprocal: f32, // fl(1 / scale), from the host
  low: f32, // qmin − z
  high: f32, // qmax − z
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;         // (count)
@group(0) @binding(2) var<storage, read> gradient: array<vec4f>;  // (count)
@group(0) @binding(3) var<storage, read_write> out: array<vec4f>; // (count)

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = flatIndex(id, groups, WORKGROUP);
  if (index >= params.count) { return; }
  let steps = stepsOf(x[index], params.reciprocal);
  let inside = (steps >= vec4f(params.low)) & (steps <= vec4f(params.high));
  out[index] = select(vec4f(0.0), gradient[index], inside);
}
