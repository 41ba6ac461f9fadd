// use lib/ordered.wgsl
//
// slot[8 + 2c], slot[9 + 2c] ← min and max of channel c over finite x, as ordered u32; slot[2] ← 1
// where a value is not finite
//
// Channels are the last physical axis. A workgroup owns one word of four channels and all their rows,
// so nothing but slot[2] needs an atomic.

override WORKGROUP: u32 = 64; // a power of two

struct Params {
  rows: u32,  // words of x / words of its last axis
  words: u32, // words of its last axis: workgroups
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4u>; // (rows, words): f32 by their bits
@group(0) @binding(2) var<storage, read_write> slot: array<atomic<u32>>;

var<workgroup> least: array<vec4u, WORKGROUP>;
var<workgroup> greatest: array<vec4u, WORKGROUP>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) group: vec3u) {
  var low = vec4u(0xffffffffu);
  var high = vec4u(0u);
  var allFinite = true;
  for (var row = local; row < params.rows; row += WORKGROUP) {
    let i = row * params.words + group.x;
    let bits = x[i];
    let finite = isFinite(bits);
    low = select(low, min(low, ordered(bits)), finite);
    high = select(high, max(high, ordered(bits)), finite);
    allFinite &= all(finite);
  }
  if (!allFinite) { atomicMax(&slot[2], 1u); }
  least[local] = low;
  greatest[local] = high;
  workgroupBarrier(); // publishes least and greatest, each slot written by its own invocation
  for (var half = WORKGROUP / 2u; half > 0u; half /= 2u) {
    if (local < half) {
      least[local] = min(least[local], least[local + half]);
      greatest[local] = max(greatest[local], greatest[local + half]);
    }
    workgroupBarrier(); // publishes the first half
  }
  if (local < 4u) {
    let at = 8u + (group.x * 4u + local) * 2u;
    atomicStore(&slot[at], least[0][local]);
    atomicStore(&slot[at + 1u], greatest[0][local]);
  }
}
