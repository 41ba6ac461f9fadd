// use lib/grid.wgsl
//
// out[g] = (least, greatest) of the words that workgroup g strides over, with ZERO of 0, too
//                                                                                docs/quantization.md (8)
//
// The first half of a range over the whole tensor; quantize_dynamic_f32.wgsl, or observe_average_f32.wgsl, joins
// the parts. An invocation strides through x; the workgroup joins in halves, and its first one owns out[g].

override WORKGROUP: u32 = 64;
override ZERO: bool = true;

struct Params {
  count: u32, // words of x
  words: u32, // words of its last axis
  last: u32,  // elements of its last axis, padding excluded
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;         // (count)
@group(0) @binding(2) var<storage, read_write> out: array<vec2f>; // (workgroups)

var<workgroup> parts: array<vec2f, WORKGROUP>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u) {
  const GREATEST = vec4f(3.4028234663852886e38);
  var low = select(GREATEST, vec4f(0), ZERO);
  var high = -low;
  for (var i = group.x * WORKGROUP + local; i < params.count; i += groups.x * WORKGROUP) {
    let first = (i % params.words) * 4u;
    let isReal = vec4u(first) + vec4u(0u, 1u, 2u, 3u) < vec4u(params.last);
    let y = x[i];
    let v = select(select(y.xxxx, vec4f(0), ZERO), y, isReal); // the first lane always is
    low = min(low, v);
    high = max(high, v);
  }
  parts[local] = vec2f(min(min(low.x, low.y), min(low.z, low.w)), max(max(high.x, high.y), max(high.z, high.w)));
  for (var half = WORKGROUP / 2u; half > 0u; half = half / 2u) {
    workgroupBarrier(); // publishes parts of the invocations below 2 · half
    if (local < half) {
      let other = parts[local + half];
      parts[local] = vec2f(min(parts[local].x, other.x), max(parts[local].y, other.y));
    }
  }
  if (local == 0u) { out[group.x] = parts[0]; }
}
