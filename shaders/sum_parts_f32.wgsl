// use lib/grid.wgsl
//
// out[i] = Σ_part x[part, i], in the order of the parts
//
// What several slices of a sum gave, as one. An invocation owns one word of out; lanes past `last` become 0. LANES: x has
// (taps, words) of four channels a part, and out a word for each channel and tap, of which lane 0 counts: a depthwise
// filter as it lies.

override WORKGROUP: u32 = 64;
override LANES: bool = false;

struct Params {
  count: u32,  // words of out
  size: u32,   // words of x from part to part
  parts: u32,
  words: u32,  // of out's last axis; LANES: of x's
  last: u32,   // elements of out's last axis, padding excluded
  taps: u32,   // LANES alone
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;         // (parts, size)
@group(0) @binding(2) var<storage, read_write> out: array<vec4f>; // (count)

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = flatIndex(id, groups, WORKGROUP);
  if (index >= params.count) { return; }
  var at = index;
  var channel = 0u;
  if (LANES) {
    channel = index / params.taps;
    at = (index - channel * params.taps) * params.words + channel / 4u;
  }
  var sum = vec4f();
  for (var part = 0u; part < params.parts; part++) {
    sum += x[at];
    at += params.size;
  }
  if (LANES) {
    out[index] = vec4f(sum[channel % 4u], 0.0, 0.0, 0.0);
  } else {
    let real = (index % params.words) * 4u + vec4u(0, 1, 2, 3) < vec4u(params.last);
    out[index] = select(vec4f(), sum, real);
  }
}
