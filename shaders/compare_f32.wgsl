// slot[2g], slot[2g + 1] ← Σ x², Σ (x − y)² over workgroup g's part        docs/quantization.md (42)
//
// One pair per workgroup, f32 by their bits; the host adds them in f64. Padding lanes are skipped.

override WORKGROUP: u32 = 64; // a power of two

struct Params {
  count: u32, // words of x and y
  words: u32, // words of the last axis
  last: u32,  // elements of the last axis, padding excluded
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>; // the reference
@group(0) @binding(2) var<storage, read> y: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> slot: array<vec2f>; // (workgroups)

var<workgroup> partial: array<vec2f, WORKGROUP>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u) {
  var sum = vec2f(0);
  for (var i = group.x * WORKGROUP + local; i < params.count; i += groups.x * WORKGROUP) {
    let real = ((i % params.words) * 4u + vec4u(0, 1, 2, 3)) < vec4u(params.last);
    let v = select(vec4f(0), x[i], real);
    let e = select(vec4f(0), x[i] - y[i], real);
    sum += vec2f(dot(v, v), dot(e, e));
  }
  partial[local] = sum;
  workgroupBarrier(); // publishes partial, each slot written by its own invocation
  for (var half = WORKGROUP / 2u; half > 0u; half /= 2u) {
    if (local < half) { partial[local] += partial[local + half]; }
    workgroupBarrier(); // publishes partial[0 … half − 1]
  }
  if (local == 0u) { slot[group.x] = partial[0]; }
}
