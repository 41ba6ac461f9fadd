// use lib/ordered.wgsl
//
// slot[0] ← min x,  slot[1] ← max x over finite x; slot[2] counts the others, slot[3] is the first of
// them; slot[4], slot[5] are min and max over all batches so far       docs/quantization.md (8)
//
// Values are compared as ordered u32, exactly. Invocations stride through x, then a workgroup joins
// its results and its first invocation makes one atomic per number. Padding lanes are skipped.

override WORKGROUP: u32 = 64; // a power of two

struct Params {
  count: u32, // words of x
  words: u32, // words of its last axis
  last: u32,  // elements of its last axis, padding excluded
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4u>; // (count): f32 by their bits
@group(0) @binding(2) var<storage, read_write> slot: array<atomic<u32>>;

var<workgroup> least: array<u32, WORKGROUP>;
var<workgroup> greatest: array<u32, WORKGROUP>;

// The report stops at the first word with such a value; the finite lanes beside it may go unseen.
fn countNonFinite(i: u32, bits: vec4u, lane: vec4u) {
  for (var at = 0u; at < 4u; at++) {
    if (lane[at] < params.last && !isFinite(bits)[at]) {
      atomicAdd(&slot[2], 1u);
      atomicMin(&slot[3], i * 4u + at);
    }
  }
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u) {
  var low = vec4u(0xffffffffu);
  var high = vec4u(0u);
  for (var i = group.x * WORKGROUP + local; i < params.count; i += groups.x * WORKGROUP) {
    // A padding lane repeats the first lane, which is always real.
    let lane = (i % params.words) * 4u + vec4u(0, 1, 2, 3);
    let bits = select(x[i].xxxx, x[i], lane < vec4u(params.last));
    if (all(isFinite(bits))) {
      let u = ordered(bits);
      low = min(low, u);
      high = max(high, u);
    } else {
      countNonFinite(i, bits, lane);
    }
  }
  least[local] = min(min(low.x, low.y), min(low.z, low.w));
  greatest[local] = max(max(high.x, high.y), max(high.z, high.w));
  workgroupBarrier(); // publishes least and greatest, each slot written by its own invocation
  for (var half = WORKGROUP / 2u; half > 0u; half /= 2u) {
    if (local < half) {
      least[local] = min(least[local], least[local + half]);
      greatest[local] = max(greatest[local], greatest[local + half]);
    }
    workgroupBarrier(); // publishes the first half
  }
  if (local == 0u && least[0] <= greatest[0]) {
    atomicMin(&slot[0], least[0]);
    atomicMax(&slot[1], greatest[0]);
    atomicMin(&slot[4], least[0]);
    atomicMax(&slot[5], greatest[0]);
  }
}
