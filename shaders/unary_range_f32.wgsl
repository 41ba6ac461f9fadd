// use lib/erf.wgsl
// use lib/unary.wgsl
//
// out = f(x), as unary_f32.wgsl, and outRange[g] = (least, greatest) of 0 and what workgroup g made, for a
// DynamicQuantizeLinear that reads out                                       docs/quantization.md (8)
//
// A workgroup strides over the words and owns outRange[g], which it joins in halves.

override WORKGROUP: u32 = 64;

@group(0) @binding(2) var<storage, read_write> outRange: array<vec2f>; // (workgroups)
@group(0) @binding(3) var<storage, read_write> out: array<vec4u>;      // (count), f32 by their bits

var<workgroup> parts: array<vec2f, WORKGROUP>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u) {
  var low = vec4f(0);
  var high = vec4f(0);
  for (var i = group.x * WORKGROUP + local; i < params.count; i += groups.x * WORKGROUP) {
    let bits = valueAt(i);
    out[i] = bits;
    let y = select(vec4f(0), bitcast<vec4f>(bits), isReal(i)); // 0 is in every range
    low = min(low, y);
    high = max(high, y);
  }
  parts[local] = vec2f(min(min(low.x, low.y), min(low.z, low.w)), max(max(high.x, high.y), max(high.z, high.w)));
  for (var half = WORKGROUP / 2u; half > 0u; half = half / 2u) {
    workgroupBarrier(); // publishes parts of the invocations below 2 · half
    if (local < half) {
      let other = parts[local + half];
      parts[local] = vec2f(min(parts[local].x, other.x), max(parts[local].y, other.y));
    }
  }
  if (local == 0u) { outRange[group.x] = parts[0]; }
}
