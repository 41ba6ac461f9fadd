// use lib/grid.wgsl
//
// out[row] = first place in indices that names the row; out[size + place] = next place that names the same
//
// −1: there is none. A row's places make a chain, in their order, which whoever adds up what they stand for
// follows: always the same order, and no atomics. Negative indices count from the end; one that is out of range
// is in no chain. An invocation owns an element.

override WORKGROUP: u32 = 64;

struct Params {
  size: u32,   // rows
  picked: u32, // indices
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> indices: array<i32>;     // (picked)
@group(0) @binding(2) var<storage, read_write> out: array<i32>;   // (size + picked)

fn rowOf(place: u32) -> i32 {
  let index = indices[place];
  return select(index, index + i32(params.size), index < 0);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let at = flatIndex(id, groups, WORKGROUP);
  if (at >= params.size + params.picked) { return; }
  let isRow = at < params.size;
  var row = i32(at);
  var place = 0u;
  if (!isRow) {
    row = rowOf(at - params.size);
    place = at - params.size + 1u;
  }
  var found = -1;
  for (; place < params.picked; place++) {
    if (rowOf(place) == row) {
      found = i32(place);
      break;
    }
  }
  out[at] = found;
}
