// use lib/grid.wgsl
// use lib/update.wgsl
//
// summed ← summed + scale · gradient                                           docs/quantization.md (83)
//
// One layout; padding stays as it was, so that it can never grow. An invocation owns one word.

override WORKGROUP: u32 = 64;

struct Params {
  count: u32, // words
  words: u32, // words of the last axis
  last: u32,  // its elements, padding excluded
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> hyper: array<vec4f>;        // (2)
@group(0) @binding(2) var<storage, read> gradient: array<vec4f>;     // (count)
@group(0) @binding(3) var<storage, read_write> summed: array<vec4f>; // (count)

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = flatIndex(id, groups, WORKGROUP);
  if (index >= params.count) { return; }
  let kept = summed[index];
  let real = realLanes(index, params.words, params.last);
  summed[index] = select(kept, kept + scale() * gradient[index], real);
}
