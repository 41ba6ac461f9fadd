// norm = √Σ parts;  out = min(1, maxNorm / (norm + 1e-6))                       docs/quantization.md (82)
//
// The second half of a norm over several tensors: one workgroup, in a tree of fixed shape. A norm that is not finite
// stays so, for the host to see.

override WORKGROUP: u32 = 64; // a power of two

struct Params {
  count: u32, // parts
  maxNorm: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> parts: array<f32>;          // (count)
@group(0) @binding(2) var<storage, read_write> outNorm: array<vec4f>; // (1), lane 0
@group(0) @binding(3) var<storage, read_write> out: array<vec4f>;    // (1), lane 0

var<workgroup> sums: array<f32, WORKGROUP>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(local_invocation_index) local: u32) {
  var sum = 0.0;
  for (var i = local; i < params.count; i += WORKGROUP) { sum += parts[i]; }
  sums[local] = sum;
  for (var half = WORKGROUP / 2u; half > 0u; half = half / 2u) {
    workgroupBarrier(); // publishes sums of the invocations below 2 · half
    if (local < half) { sums[local] += sums[local + half]; }
  }
  if (local == 0u) {
    let norm = sqrt(sums[0]);
    let factor = params.maxNorm / (norm + 1e-6);
    outNorm[0] = vec4f(norm, 0.0, 0.0, 0.0);
    out[0] = vec4f(select(factor, 1.0, factor > 1.0), 0.0, 0.0, 0.0);
  }
}
