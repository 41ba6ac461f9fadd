// use lib/ordered.wgsl
//
// slot[8 + bin(x)] += 1,  bin = ⌊fl(fl(x − low) · BINS) / fl(high − low)⌋
//                                                    docs/quantization.md, section 4, step 1
//
// low and high are the running range that observe_minmax_f32 left in slot[4], slot[5]; where they are
// one value the bins span one unit on each side. Non-finite values land in some bin: the batch is
// refused for them, whatever its counts. A workgroup counts in its own memory first. Counts
// are integers, so their order does not matter.

override WORKGROUP: u32 = 64;
override BINS: u32 = 2048;

struct Params {
  count: u32, // words of x
  words: u32, // words of its last axis
  last: u32,  // elements of its last axis, padding excluded
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4u>; // (count): f32 by their bits
@group(0) @binding(2) var<storage, read_write> slot: array<atomic<u32>>;

var<workgroup> bins: array<atomic<u32>, BINS>; // zero at the start

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u) {
  var low = fromOrdered(atomicLoad(&slot[4]));
  var high = fromOrdered(atomicLoad(&slot[5]));
  if (low == high) {
    low -= 1.0;
    high += 1.0;
  }
  let width = high - low;
  for (var i = group.x * WORKGROUP + local; i < params.count; i += groups.x * WORKGROUP) {
    let v = bitcast<vec4f>(x[i]);
    let bin = min(vec4u(max(((v - low) * f32(BINS)) / width, vec4f(0))), vec4u(BINS - 1u));
    let first = (i % params.words) * 4u;
    atomicAdd(&bins[bin.x], 1u);
    if (first + 1u < params.last) { atomicAdd(&bins[bin.y], 1u); }
    if (first + 2u < params.last) { atomicAdd(&bins[bin.z], 1u); }
    if (first + 3u < params.last) { atomicAdd(&bins[bin.w], 1u); }
  }
  workgroupBarrier(); // publishes bins
  for (var i = local; i < BINS; i += WORKGROUP) {
    let n = atomicLoad(&bins[i]);
    if (n > 0u) { atomicAdd(&slot[8u + i], n); }
  }
}
