// use lib/kept.wgsl
// use lib/ordered.wgsl
//
// out = place of the greatest x along the reduced axis (kept as size 1); LEAST: of the least
//
// A workgroup owns one output word; its invocations keep the best of strided parts, then halve them in a tree.
// Numbers become integers in their order, so nothing but integers is compared: NaN is beyond all, and 0, which no
// number becomes, is below all. Of equal ones the first counts; SELECT_LAST: the last. LAST: the axis is the last
// physical one; then lanes are places, padding excluded, and the result is lane 0.

override WORKGROUP: u32 = 64; // a power of two
override LAST: bool = false;
override LEAST: bool = false;
override SELECT_LAST: bool = false;

struct Params {
  count: u32,  // words of out: one workgroup each
  length: u32, // words along the axis (LAST) or elements of it
  k1: u32,
  k2: u32,
  k3: u32,
  k4: u32,
  t0: u32,
  t1: u32,
  t2: u32,
  t3: u32,
  t4: u32,
  stride: u32, // words from one element of the axis to the next; 1 with LAST
  words: u32,  // words of x's last axis
  last: u32,   // its elements, padding excluded
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4u>; // floats by their bits
@group(0) @binding(2) var<storage, read_write> out: array<vec4i>; // (count)

struct Best {
  key: vec4u,
  place: vec4u,
}

var<workgroup> keys: array<vec4u, WORKGROUP>;
var<workgroup> places: array<vec4u, WORKGROUP>;

fn isReal(word: u32) -> vec4<bool> {
  return (word % params.words) * 4u + vec4u(0, 1, 2, 3) < vec4u(params.last);
}

fn keyOf(bits: vec4u) -> vec4u {
  var key = ordered(bits);
  if (LEAST) { key = ~key; }
  return select(key, vec4u(0xffffffffu), (bits & vec4u(0x7fffffffu)) > vec4u(0x7f800000u));
}

fn better(p: Best, q: Best) -> Best {
  var wins = q.place < p.place;
  if (SELECT_LAST) { wins = q.place > p.place; }
  let takes = (q.key > p.key) | ((q.key == p.key) & wins);
  return Best(select(p.key, q.key, takes), select(p.place, q.place, takes));
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = group.y * groups.x + group.x;
  var best = Best(vec4u(0), vec4u(0));
  if (index < params.count) {
    let base = keptOffset(index);
    for (var i = local; i < params.length; i += WORKGROUP) {
      var key = keyOf(x[base + i * params.stride]);
      var place = vec4u(i);
      if (LAST) {
        key = select(vec4u(0), key, isReal(i));
        place = i * 4u + vec4u(0, 1, 2, 3);
      }
      best = better(best, Best(key, place));
    }
  }
  keys[local] = best.key;
  places[local] = best.place;
  workgroupBarrier(); // publishes keys and places, each slot written by its own invocation
  for (var half = WORKGROUP / 2u; half > 0u; half /= 2u) {
    if (local < half) {
      best = better(best, Best(keys[local + half], places[local + half]));
      keys[local] = best.key;
      places[local] = best.place;
    }
    workgroupBarrier(); // publishes keys and places [0 … half − 1]
  }
  if (local == 0u && index < params.count) {
    var real = vec4<bool>(true, false, false, false);
    if (LAST) {
      best = better(best, Best(best.key.yxwz, best.place.yxwz));
      best = better(best, Best(best.key.zwxy, best.place.zwxy));
    } else { real = isReal(index); }
    out[index] = select(vec4i(0), vec4i(best.place), real);
  }
}
