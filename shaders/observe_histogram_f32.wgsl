// use lib/ordered.wgsl
//
// slot[8 + bin(x)] += 1,  bin = ⌊fl(fl(x − low) · BINS) / fl(high − low)⌋
//                                                    docs/quantization.md, section 4, step 1
//
// low and high are the running range that lib/seen.wgsl left in slot[5], slot[4]; where they are
// one value the bins span one unit on each side. Non-finite values land in some bin: the batch is
// refused for them, whatever its counts. A workgroup counts in its own memory first. Counts
// are integers, so their order does not matter.

override WORKGROUP: u32 = 64;
override BINS: u32 = 2048;
override PADDED: bool = false; // the last word of x's last axis has padding lanes
// Half of what a ReLU leaves is 0: its bin is counted in registers, where invocations would wait for each
// other. An adapter that runs them one by one loses more by the branches.
override SKIP_ZEROS: bool = true;

struct Params {
  count: u32, // words of x
  words: u32, // words of its last axis
  last: u32,  // elements of its last axis, padding excluded
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>; // (count)
@group(0) @binding(2) var<storage, read_write> slot: array<atomic<u32>>;

var<workgroup> bins: array<atomic<u32>, BINS>; // zero at the start

// Of 2²³ + n, n an integer, the low bits are n: cheaper than a conversion, which must saturate.
fn binOf(v: vec4f, low: f32, width: f32) -> vec4u {
  let at = min(floor(((v - low) * f32(BINS)) / width), vec4f(f32(BINS - 1u)));
  return bitcast<vec4u>(at + 8388608.0) - vec4u(0x4b000000u);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u) {
  var low = fromOrdered(~atomicLoad(&slot[5]));
  var high = fromOrdered(atomicLoad(&slot[4]));
  if (low == high) {
    low -= 1.0;
    high += 1.0;
  }
  let width = high - low;
  let words = params.words;
  let last = params.last;
  let count = params.count;
  let zeroBin = binOf(vec4f(0), low, width);
  var zeros = vec4u(0);
  for (var i = group.x * WORKGROUP + local; i < count; i += groups.x * WORKGROUP) {
    let bin = binOf(x[i], low, width);
    var real = vec4<bool>(true);
    if (PADDED) { real = (i % words) * 4u + vec4u(0, 1, 2, 3) < vec4u(last); }
    if (SKIP_ZEROS) {
      let zero = real & (bin == zeroBin);
      zeros += select(vec4u(0), vec4u(1), zero);
      let counted = real & (bin != zeroBin);
      if (counted.x) { atomicAdd(&bins[bin.x], 1u); }
      if (counted.y) { atomicAdd(&bins[bin.y], 1u); }
      if (counted.z) { atomicAdd(&bins[bin.z], 1u); }
      if (counted.w) { atomicAdd(&bins[bin.w], 1u); }
    } else {
      let one = select(vec4u(0), vec4u(1), real);
      atomicAdd(&bins[bin.x], one.x);
      atomicAdd(&bins[bin.y], one.y);
      atomicAdd(&bins[bin.z], one.z);
      atomicAdd(&bins[bin.w], one.w);
    }
  }
  if (SKIP_ZEROS) { atomicAdd(&bins[zeroBin.x], zeros.x + zeros.y + zeros.z + zeros.w); }
  workgroupBarrier(); // publishes bins
  for (var i = local; i < BINS; i += WORKGROUP) {
    let n = atomicLoad(&bins[i]);
    if (n > 0u) { atomicAdd(&slot[8u + i], n); }
  }
}
