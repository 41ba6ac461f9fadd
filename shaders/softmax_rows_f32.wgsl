// tile LANES = 32   invocations that share a row; a power of two
// tile ROWS = 2     rows of a workgroup
//
// out = exp(y − max y) / Σ exp(y − max y) along rows of words, y = out + mask: in place, for attention
//
// The lanes of a row join their maxima and sums in workgroup memory, always in the same order. mask is
// broadcast: its strides are in elements, 0 along axes that it repeats. Padding lanes become 0.

override MASKED: bool = false; // else mask is not read

struct Params {
  count: u32,  // rows: batch · heads · queries
  words: u32,  // of a row
  last: u32,   // elements of a row, padding excluded
  heads: u32,
  queries: u32,
  base: u32,   // element of the mask where the first row here begins
  mask0: u32,  // strides of the mask, in elements: batch, head, query, key
  mask1: u32,
  mask2: u32,
  mask3: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> mask: array<f32>;
@group(0) @binding(2) var<storage, read_write> out: array<vec4f>; // (count, words)

const LEAST = -3.4028234e38;

var<workgroup> parts: array<f32, ${LANES * ROWS}>; // (ROWS, LANES)

/** v for the maximum: NaN as ∞, of which no softmax is a number either. */
fn ranked(v: vec4f) -> vec4f {
  let bits = bitcast<vec4u>(v);
  return bitcast<vec4f>(select(bits, vec4u(0x7f800000u), (bits & vec4u(0x7fffffffu)) > vec4u(0x7f800000u)));
}

fn realOf(word: u32) -> vec4<bool> {
  return (word * 4u + vec4u(0, 1, 2, 3)) < vec4u(params.last);
}

@compute @workgroup_size(${LANES}, ${ROWS})
fn main(
  @builtin(workgroup_id) id: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) local: vec3u,
  @builtin(local_invocation_index) index: u32,
) {
  let wanted = (id.y * groups.x + id.x) * ${ROWS}u + local.y;
  let live = wanted < params.count;
  let row = min(wanted, params.count - 1u); // past the last row: it again, not stored; barriers need everyone
  let at = row * params.words;
  let head = row / params.queries;
  let b = head / params.heads;
  let start = params.base + b * params.mask0 + (head - b * params.heads) * params.mask1
    + (row - head * params.queries) * params.mask2;

  var most = vec4f(LEAST);
  for (var i = local.x; i < params.words; i += ${LANES}u) {
    var y = out[at + i];
    if (MASKED) {
      let key = start + i * 4u * params.mask3;
      let end = start + (params.last - 1u) * params.mask3; // padding lanes: the last key's, not used
      y += vec4f(
        mask[key],
        mask[min(key + params.mask3, end)],
        mask[min(key + 2u * params.mask3, end)],
        mask[min(key + 3u * params.mask3, end)]);
    }
    most = max(most, select(vec4f(LEAST), ranked(y), realOf(i)));
    if (live) { out[at + i] = y; }
  }
  parts[index] = max(max(most.x, most.y), max(most.z, most.w));
  for (var half = ${LANES}u / 2u; half > 0u; half >>= 1u) {
    workgroupBarrier(); // publishes parts of the first 2 · half lanes
    if (local.x < half) { parts[index] = max(parts[index], parts[index + half]); }
  }
  workgroupBarrier(); // publishes parts of lane 0: the maxima
  let greatest = vec4f(parts[index - local.x]);
  workgroupBarrier(); // publishes that the maxima are read and may be overwritten

  var sum = vec4f();
  for (var i = local.x; i < params.words; i += ${LANES}u) {
    let y = select(vec4f(), exp(min(out[at + i] - greatest, vec4f())), realOf(i));
    sum += y;
    if (live) { out[at + i] = y; }
  }
  parts[index] = sum.x + sum.y + sum.z + sum.w;
  for (var half = ${LANES}u / 2u; half > 0u; half >>= 1u) {
    workgroupBarrier(); // publishes parts of the first 2 · half lanes
    if (local.x < half) { parts[index] += parts[index + half]; }
  }
  workgroupBarrier(); // publishes parts of lane 0: the sums
  let total = vec4f(parts[index - local.x]);
  if (!live) { return; }
  // ∞ − ∞, and rows of nothing but −∞, whose greatest is below every number.
  let isNan = (bitcast<vec4u>(greatest) == vec4u(0x7f800000u)) | (total == vec4f(0));
  for (var i = local.x; i < params.words; i += ${LANES}u) {
    let bits = select(bitcast<vec4u>(out[at + i] / total), vec4u(0x7fc00000u), isNan & realOf(i));
    out[at + i] = bitcast<vec4f>(select(vec4u(0), bits, realOf(i)));
  }
}
