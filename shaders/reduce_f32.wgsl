// use lib/kept.wgsl
// use lib/reduce.wgsl
//
// out = Σ x · scale over the reduced axes (kept as size 1), or by OP: 1 Σ |x|, 2 Σ x², 3 √Σ x², 4 Π x, 5 max x,
// 6 min x
//
// A workgroup owns one output word. Its invocations join strided parts, then halve them in a tree of
// fixed shape, so a sum has one order on every device. LAST: the last physical axis is reduced too;
// then lanes are joined, padding excluded, and the result is lane 0. NaN stays NaN: no max or min hides it, since
// bits decide. These two start at an element, since joining it again changes nothing.

override WORKGROUP: u32 = 64; // a power of two
override LAST: bool = false;
override OP: u32 = 0;

struct Params {
  count: u32,  // words of out: one workgroup each
  length: u32, // words made one: r0 · r1 · r2 · r3
  r1: u32,
  r2: u32,
  r3: u32,
  s0: u32,
  s1: u32,
  s2: u32,
  s3: u32,
  k1: u32,
  k2: u32,
  k3: u32,
  k4: u32,
  t0: u32,
  t1: u32,
  t2: u32,
  t3: u32,
  t4: u32,
  words: u32,  // words of x's last axis
  last: u32,   // its elements, padding excluded
  scale: f32,  // of a sum: 1 / number of elements where it is a mean
  empty: u32,  // bits of the result over no elements
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> out: array<vec4f>; // (count)

var<workgroup> partial: array<vec4f, WORKGROUP>;

fn isReal(word: u32) -> vec4<bool> {
  return (word % params.words) * 4u + vec4u(0, 1, 2, 3) < vec4u(params.last);
}

fn isNan(v: vec4f) -> vec4<bool> {
  return (bitcast<vec4u>(v) & vec4u(0x7fffffffu)) > vec4u(0x7f800000u);
}

/** What word i adds; a padding lane, what changes nothing. */
fn term(i: u32, v: vec4f) -> vec4f {
  var t = v;
  switch OP {
    case 1u: { t = abs(v); }
    case 2u, 3u: { t = v * v; }
    default: {}
  }
  if (!LAST) { return t; }
  var neutral = vec4f(0);
  if (OP == 4u) { neutral = vec4f(1); }
  if (OP >= 5u) { neutral = t.xxxx; }
  return select(neutral, t, isReal(i));
}

fn join(p: vec4f, q: vec4f) -> vec4f {
  if (OP < 4u) { return p + q; }
  if (OP == 4u) { return p * q; }
  var most = max(p, q);
  if (OP == 6u) { most = min(p, q); }
  return bitcast<vec4f>(select(bitcast<vec4u>(most), vec4u(0x7fc00000u), isNan(p) | isNan(q)));
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = group.y * groups.x + group.x;
  var total = vec4f(0);
  if (index < params.count) {
    let base = keptOffset(index);
    if (OP == 4u) { total = vec4f(1); }
    if (OP >= 5u) { total = term(0u, x[base]); }
    for (var i = local; i < params.length; i += WORKGROUP) {
      total = join(total, term(i, x[base + reducedOffset(i)]));
    }
  }
  partial[local] = total;
  workgroupBarrier(); // publishes partial, each slot written by its own invocation
  for (var half = WORKGROUP / 2u; half > 0u; half /= 2u) {
    if (local < half) { partial[local] = join(partial[local], partial[local + half]); }
    workgroupBarrier(); // publishes partial[0 … half − 1]
  }
  if (local == 0u && index < params.count) {
    total = partial[0];
    if (LAST) { total = join(join(join(total, total.yyyy), total.zzzz), total.wwww); }
    if (OP == 0u) { total *= params.scale; }
    if (OP == 3u) { total = sqrt(total); }
    var bits = bitcast<vec4u>(total);
    if (params.length == 0u) { bits = vec4u(params.empty); }
    var real = vec4<bool>(true, false, false, false);
    if (!LAST) { real = isReal(index); }
    out[index] = bitcast<vec4f>(select(vec4u(0), bits, real));
  }
}
