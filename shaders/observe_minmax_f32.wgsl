// use lib/observed.wgsl
// use lib/ordered.wgsl
// use lib/seen.wgsl
//
// slot ← least and greatest x of this batch and of all so far             docs/quantization.md (8)
//
// For values whose producer does not observe them itself. Invocations stride through x and join at the
// end by atomics, which are exact in any order.

override WORKGROUP: u32 = 64;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let count = params.count;
  var least = NO_LEAST;
  var greatest = NO_GREATEST;
  for (var i = group.x * WORKGROUP + local; i < count; i += groups.x * WORKGROUP) {
    let y = x[i];
    let rank = rank(select(y.xxxx, y, realLanesOf(i))); // the first lane is always real
    least = seeLeast(least, rank);
    greatest = seeGreatest(greatest, rank);
  }
  publish(least, greatest, vec4<bool>(true));
}
