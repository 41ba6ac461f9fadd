// use lib/grid.wgsl
// use lib/row_major.wgsl
//
// out[o, row, i] = Σ gradient[o, p, i] over the places p in the row's chain, in their order
//
// gather_chains.wgsl made the chains. gradient is dense, its row-major order being (outer, picked, inner); out
// lies in its layout, and its padding lanes become 0. An invocation owns one word of out.

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
@group(0) @binding(1) var<storage, read> gradient: array<f32>;    // (outer, picked, inner)
@group(0) @binding(2) var<storage, read> chains: array<i32>;      // (size), then (picked)
@group(0) @binding(3) var<storage, read_write> out: array<vec4f>;

fn sumAt(position: u32) -> f32 {
  let i = position % params.inner;
  let rest = position / params.inner;
  let base = (rest / params.size) * params.picked;
  var place = chains[rest % params.size];
  var sum = 0.0;
  for (var n = 0u; n < params.picked && place >= 0; n++) {
    sum += gradient[(base + u32(place)) * params.inner + i];
    place = chains[params.size + u32(place)];
  }
  return sum;
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = flatIndex(id, groups, WORKGROUP);
  if (index >= params.count) { return; }
  let first = (index % (params.dim5 / 4u)) * 4u;
  let position = rowMajorOf(index);
  var word = vec4f(0);
  for (var lane = 0u; lane < 4u; lane++) {
    if (first + lane < params.last) { word[lane] = sumAt(position + (first + lane) * params.weight5); }
  }
  out[index] = word;
}
