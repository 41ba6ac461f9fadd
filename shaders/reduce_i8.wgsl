// use lib/dot4.wgsl
// use lib/requantize.wgsl
// use lib/kept.wgsl
// use lib/reduce.wgsl
//
// out = mean of x over the reduced axes (kept as size 1), requantized      docs/quantization.md (36)
//
// A workgroup owns one output word. Its invocations sum strided parts, then halve them in a tree of
// fixed shape, exact in i32. LAST: the last physical axis is reduced too;
// then lanes are summed, padding excluded, and the result is lane 0.

override WORKGROUP: u32 = 64; // a power of two
override LAST: bool = false;

struct Params {
  count: u32,  // words of out: one workgroup each
  length: u32, // words summed into one: r0 · r1 · r2 · r3
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
  words: u32,  // words of x's last axis, where that is summed too
  last: u32,   // its elements, padding excluded
  inZero: i32,
  multiplier: f32,
  zeroPoint: i32, // of out
  low: i32,
  high: i32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<u32>;
@group(0) @binding(2) var<storage, read_write> out: array<u32>; // (count)

var<workgroup> partial: array<vec4i, WORKGROUP>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = group.y * groups.x + group.x;
  var sum = vec4i(0);
  if (index < params.count) {
    let base = keptOffset(index);
    for (var i = local; i < params.length; i += WORKGROUP) {
      var v = lanes(x[base + reducedOffset(i)]) - params.inZero;
      if (LAST) {
        let lane = (i % params.words) * 4u + vec4u(0, 1, 2, 3);
        v = select(vec4i(0), v, lane < vec4u(params.last));
      }
      sum += v;
    }
  }
  partial[local] = sum;
  workgroupBarrier(); // publishes partial, each slot written by its own invocation
  for (var half = WORKGROUP / 2u; half > 0u; half /= 2u) {
    if (local < half) { partial[local] += partial[local + half]; }
    workgroupBarrier(); // publishes partial[0 … half − 1]
  }
  if (local == 0u && index < params.count) {
    var total = partial[0];
    if (LAST) { total = vec4i(total.x + total.y + total.z + total.w, 0, 0, 0); }
    let m = vec4f(params.multiplier);
    out[index] = pack(requantize(wideToFloat(total), m, rounding(params.zeroPoint, params.low, params.high)));
  }
}
