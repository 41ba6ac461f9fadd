// use lib/grid.wgsl
//
// out = exp(x − max) / Σ exp(x − max) along one axis; with LOG its logarithm, x − max − log Σ exp(x − max)
//
// LAST: the axis is the last physical one; an invocation owns a whole row of words and sums lanes,
// padding excluded. Otherwise an invocation owns one word's column, lane by lane.

override WORKGROUP: u32 = 64;
override LAST: bool = true;
override LOG: bool = false;

struct Params {
  count: u32,  // rows (LAST) or columns
  length: u32, // words along the axis (LAST) or elements of it
  stride: u32, // words between two elements of the axis; 1 with LAST
  inner: u32,  // columns before the outer coordinate changes; 1 with LAST
  outer: u32,  // words between two outer coordinates
  last: u32,   // elements of the last axis, padding excluded
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> out: array<vec4f>;

const LEAST = -3.4028234e38;

/** v for the maximum: NaN as ∞, of which no softmax is a number either. */
fn ranked(v: vec4f) -> vec4f {
  let bits = bitcast<vec4u>(v);
  return bitcast<vec4f>(select(bits, vec4u(0x7f800000u), (bits & vec4u(0x7fffffffu)) > vec4u(0x7f800000u)));
}

fn isReal(word: u32) -> vec4<bool> {
  return (word * 4u + vec4u(0, 1, 2, 3)) < vec4u(params.last);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = flatIndex(id, groups, WORKGROUP);
  if (index >= params.count) { return; }
  let base = (index / params.inner) * params.outer + index % params.inner;
  var most = vec4f(LEAST);
  for (var i = 0u; i < params.length; i++) {
    var v = ranked(x[base + i * params.stride]);
    if (LAST) { v = select(vec4f(LEAST), v, isReal(i)); }
    most = max(most, v);
  }
  if (LAST) { most = vec4f(max(max(most.x, most.y), max(most.z, most.w))); }
  var sum = vec4f(0);
  for (var i = 0u; i < params.length; i++) {
    var e = exp(min(x[base + i * params.stride] - most, vec4f(0)));
    if (LAST) { e = select(vec4f(0), e, isReal(i)); }
    sum += e;
  }
  if (LAST) { sum = vec4f(sum.x + sum.y + sum.z + sum.w); }
  // ∞ − ∞, and rows of nothing but −∞, whose greatest is below every number.
  let isNan = (bitcast<vec4u>(most) == vec4u(0x7f800000u)) | (sum == vec4f(0));
  for (var i = 0u; i < params.length; i++) {
    let at = base + i * params.stride;
    let difference = min(x[at] - most, vec4f(0));
    var y = exp(difference) / sum;
    if (LOG) { y = difference - log(sum); }
    var bits = select(bitcast<vec4u>(y), vec4u(0x7fc00000u), isNan);
    if (LAST) { bits = select(vec4u(0), bits, isReal(i)); }
    out[at] = bitcast<vec4f>(bits);
  }
}
