// out[first + g] = Σ x² of the words that workgroup g strides over              docs/quantization.md (82)
//
// The first half of a norm over several tensors, a dispatch each; clip_factor_f32.wgsl joins the parts. Invocations
// join in a tree of fixed shape, so a sum has one order on every run. Padding counts as 0.

override WORKGROUP: u32 = 64; // a power of two

struct Params {
  count: u32, // words of x
  words: u32, // words of its last axis
  last: u32,  // elements of its last axis, padding excluded
  first: u32, // where this tensor's parts begin
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;         // (count)
@group(0) @binding(2) var<storage, read_write> out: array<f32>;   // (parts of all tensors)

var<workgroup> parts: array<f32, WORKGROUP>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u) {
  var sum = vec4f(0.0);
  for (var i = group.x * WORKGROUP + local; i < params.count; i += groups.x * WORKGROUP) {
    let isReal = (i % params.words) * 4u + vec4u(0u, 1u, 2u, 3u) < vec4u(params.last);
    let v = select(vec4f(0.0), x[i], isReal);
    sum += v * v;
  }
  parts[local] = (sum.x + sum.y) + (sum.z + sum.w);
  for (var half = WORKGROUP / 2u; half > 0u; half = half / 2u) {
    workgroupBarrier(); // publishes parts of the invocations below 2 · half
    if (local < half) { parts[local] += parts[local + half]; }
  }
  if (local == 0u) { out[params.first + group.x] = parts[0]; }
}
