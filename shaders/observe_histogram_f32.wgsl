// use lib/observed.wgsl
// use lib/ordered.wgsl
// use lib/bins.wgsl
//
// slot[8 + bin(x)] += 1, with lib/bins.wgsl's bin. A workgroup counts in its own memory first. Half of what a ReLU leaves
// is 0: its bin is counted in registers, where invocations would wait for each other.

override WORKGROUP: u32 = 64;

var<workgroup> bins: array<atomic<u32>, BINS>; // zero at the start

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let span = spanOf();
  let zeroBin = binOf(vec4f(0), span);
  var zeros = vec4u(0);
  for (var i = group.x * WORKGROUP + local; i < params.count; i += groups.x * WORKGROUP) {
    let bin = binOf(x[i], span);
    let real = realLanesOf(i);
    zeros += select(vec4u(0), vec4u(1), real & (bin == zeroBin));
    let counted = real & (bin != zeroBin);
    if (counted.x) { atomicAdd(&bins[bin.x], 1u); }
    if (counted.y) { atomicAdd(&bins[bin.y], 1u); }
    if (counted.z) { atomicAdd(&bins[bin.z], 1u); }
    if (counted.w) { atomicAdd(&bins[bin.w], 1u); }
  }
  atomicAdd(&bins[zeroBin.x], zeros.x + zeros.y + zeros.z + zeros.w);
  workgroupBarrier(); // publishes bins
  for (var i = local; i < BINS; i += WORKGROUP) {
    let n = atomicLoad(&bins[i]);
    if (n > 0u) { atomicAdd(&slot[8u + i], n); }
  }
}
