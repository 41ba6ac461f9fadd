// use lib/observed.wgsl
// use lib/ordered.wgsl
// use lib/bins.wgsl
// tile PAIRS = 1024 words for all bins, two in a word; 2,046 at most: a function's variables have 8 KiB together
//
// slot[8 + bin(x)] += 1, with lib/bins.wgsl's bin, for adapters that run invocations one by one: every atomic addition locks
// memory there, so that each invocation counts in memory of its own, 16 bits a bin, and adds what it has counted to the
// slot. So it may look at 16,383 words at most: 65,532 values.

override WORKGROUP: u32 = 4;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let span = spanOf();
  var pairs: array<u32, ${PAIRS}>; // bins 2i and 2i + 1; zero at the start
  for (var i = group.x * WORKGROUP + local; i < params.count; i += groups.x * WORKGROUP) {
    let bin = binOf(x[i], span);
    let one = select(vec4u(0), vec4u(1), realLanesOf(i)) << ((bin & vec4u(1)) * 16u);
    let pair = bin >> vec4u(1);
    pairs[pair.x] += one.x;
    pairs[pair.y] += one.y;
    pairs[pair.z] += one.z;
    pairs[pair.w] += one.w;
  }
  for (var i = 0u; i < ${PAIRS}u; i++) {
    let even = pairs[i] & 0xffffu;
    let odd = pairs[i] >> 16u;
    if (even > 0u) { atomicAdd(&slot[8u + 2u * i], even); }
    if (odd > 0u) { atomicAdd(&slot[9u + 2u * i], odd); }
  }
}
