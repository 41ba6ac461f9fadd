// use lib/grid.wgsl
// use lib/gather.wgsl
// use lib/row_major.wgsl
//
// out[o, p, i] = x[o, indices[p], i], the row-major order of the logical elements being (outer, picked, inner)
//
// x and indices are dense; out lies in its layout. A negative index counts from the end. An invocation owns
// one word of out; its padding lanes become 0. Elements are bits: float32 and int32 alike.

override WORKGROUP: u32 = 64;

struct Params {
  count: u32,  // words of out
  last: u32,   // elements of its last axis, padding excluded
  picked: u32, // indices
  size: u32,   // of the gathered axis
  inner: u32,  // elements behind it
  dim1: u32,   // physical sizes of out
  dim2: u32,
  dim3: u32,
  dim4: u32,
  dim5: u32,
  weight0: u32, // row-major weights of its physical axes
  weight1: u32,
  weight2: u32,
  weight3: u32,
  weight4: u32,
  weight5: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<u32>;                    // (outer, size, inner)
@group(0) @binding(2) var<storage, read> indices: array<i32>;              // (picked)
@group(0) @binding(3) var<storage, read_write> slot: array<atomic<i32>>;   // least and greatest bad index
@group(0) @binding(4) var<storage, read_write> out: array<vec4u>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = flatIndex(id, groups, WORKGROUP);
  if (index >= params.count) { return; }
  let first = (index % (params.dim5 / 4u)) * 4u;
  let position = rowMajorOf(index);
  var word = vec4u(0);
  for (var lane = 0u; lane < 4u; lane++) {
    if (first + lane < params.last) { word[lane] = x[pickedFrom(position + (first + lane) * params.weight5)]; }
  }
  out[index] = word;
}
