// use lib/grid.wgsl
// use lib/copy.wgsl
//
// out[c] = x[base + Σ (c − origin) · stride] inside the box, else `fill` or what out already holds
//
// One shader for Transpose, Slice, Split, Pad and each part of a Concat. An invocation owns one word
// of out; where it keeps lanes (KEEP), an earlier dispatch wrote them. Padding lanes become 0. Elements
// are bits: float32 and int32 alike, and no float ever looks at an integer.

override WORKGROUP: u32 = 64;
override KEEP: bool = false; // outside the box: keep out's element instead of writing fill

struct Params {
  count: u32,   // words of out
  last: u32,    // elements of out's last axis, padding excluded
  base: i32,    // element of x at the box's first corner
  dim0: u32,    // of out; axis 5 is the last physical one, padding included
  origin0: i32, // first coordinate that x fills
  extent0: i32, // number of them
  stride0: i32, // of x, in elements; negative steps backwards
  dim1: u32,
  origin1: i32,
  extent1: i32,
  stride1: i32,
  dim2: u32,
  origin2: i32,
  extent2: i32,
  stride2: i32,
  dim3: u32,
  origin3: i32,
  extent3: i32,
  stride3: i32,
  dim4: u32,
  origin4: i32,
  extent4: i32,
  stride4: i32,
  dim5: u32,
  origin5: i32,
  extent5: i32,
  stride5: i32,
  fill: u32, // bits
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<u32>;
@group(0) @binding(2) var<storage, read_write> out: array<vec4u>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = flatIndex(id, groups, WORKGROUP);
  if (index >= params.count) { return; }
  let source = sourceOf(index);
  let first = (index % (params.dim5 / 4u)) * 4u;
  var word = vec4u(params.fill);
  if (KEEP) { word = out[index]; }
  for (var lane = 0u; lane < 4u; lane++) {
    let s = laneSource(source, first + lane);
    if (s.inside) { word[lane] = x[u32(s.offset)]; }
    if (first + lane >= params.last) { word[lane] = 0u; }
  }
  out[index] = word;
}
