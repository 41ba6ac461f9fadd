// use lib/grid.wgsl
// use lib/gather.wgsl
// use lib/row_major.wgsl
//
// out[p, i] = fl((q[r, i] − z[r, b]) · s[r, b]),  r = indices[p], b the block of i;  docs/quantization.md (47)
//
// An embedding whose table is stored in few bits: only the rows that are picked become float. The table is dense,
// BITS an element, the first in the low bits. An invocation owns one word of out; its padding lanes become 0.

override WORKGROUP: u32 = 64;
override BITS: u32 = 8; // 16: float16; 8: int8; 4: uint4

struct Params {
  count: u32,     // words of out
  last: u32,      // elements of its last axis, padding excluded
  picked: u32,    // indices
  size: u32,      // rows of the table
  inner: u32,     // elements of a row
  blockSize: u32, // elements that share a scale
  blocks: u32,    // of a row
  dim1: u32,      // physical sizes of out
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
@group(0) @binding(1) var<storage, read> x: array<u32>;                    // (size, inner) of BITS
@group(0) @binding(2) var<storage, read> scales: array<vec2f>;             // (size, blocks): scale, zero point
@group(0) @binding(3) var<storage, read> indices: array<i32>;              // (picked)
@group(0) @binding(4) var<storage, read_write> slot: array<atomic<i32>>;   // least and greatest bad index
@group(0) @binding(5) var<storage, read_write> out: array<vec4f>;

fn stored(at: u32) -> f32 {
  if (BITS == 16u) {
    let pair = unpack2x16float(x[at / 2u]);
    return select(pair.x, pair.y, (at & 1u) == 1u);
  }
  if (BITS == 8u) { return f32(extractBits(i32(x[at / 4u]), (at & 3u) * 8u, 8u)); }
  return f32(extractBits(x[at / 8u], (at & 7u) * 4u, 4u));
}

fn valueAt(at: u32) -> f32 {
  let row = at / params.inner;
  let pair = scales[row * params.blocks + (at - row * params.inner) / params.blockSize];
  return (stored(at) - pair.y) * pair.x;
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = flatIndex(id, groups, WORKGROUP);
  if (index >= params.count) { return; }
  let first = (index % (params.dim5 / 4u)) * 4u;
  let position = rowMajorOf(index);
  var word = vec4f();
  for (var lane = 0u; lane < 4u; lane++) {
    if (first + lane < params.last) { word[lane] = valueAt(pickedFrom(position + (first + lane) * params.weight5)); }
  }
  out[index] = word;
}
