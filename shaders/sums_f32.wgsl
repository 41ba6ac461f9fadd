// use lib/grid.wgsl
//
// outScale[c], outZero[c] = Σ sums[c, p] over the parts p, in their order
//
// The second half of fake_quantize_learn_f32. An invocation owns one slice.

override WORKGROUP: u32 = 64;

struct Params {
  slices: u32,
  parts: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> sums: array<vec2f>;          // (slices, parts)
@group(0) @binding(2) var<storage, read_write> outScale: array<f32>;  // (slices)
@group(0) @binding(3) var<storage, read_write> outZero: array<f32>;   // (slices)

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let slice = flatIndex(id, groups, WORKGROUP);
  if (slice >= params.slices) { return; }
  var sum = vec2f(0);
  for (var part = 0u; part < params.parts; part++) {
    sum += sums[slice * params.parts + part];
  }
  outScale[slice] = sum.x;
  outZero[slice] = sum.y;
}
