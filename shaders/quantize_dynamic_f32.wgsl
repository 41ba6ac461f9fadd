// use lib/grid.wgsl
// use lib/dot4.wgsl
// use lib/divide.wgsl
//
// q = clamp(zeroPoint + rint(fl(x / scale)), −128, 127)                docs/quantization.md (5), (38)
//
// With parameters that an earlier dispatch computed. x · reciprocal is within 2⁻¹⁴ of the quotient, since
// that is at most 255.5: only next to a half step does the difference count, and the true quotient is taken
// there. The layout stays. An invocation owns one word.

override WORKGROUP: u32 = 64;

struct Params {
  count: u32, // words
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;        // (count)
@group(0) @binding(2) var<storage, read> reciprocal: array<f32>; // (1)
@group(0) @binding(3) var<storage, read> scale: array<f32>;      // (1)
@group(0) @binding(4) var<storage, read> zeroPoint: array<u32>;  // (1) stored byte
@group(0) @binding(5) var<storage, read_write> out: array<u32>;  // (count)

fn steps(v: f32) -> f32 {
  let near = v * reciprocal[0];
  if (abs(fract(near) - 0.5) > 0.001) { return round(near); }
  let exact = divide(abs(v), scale[0]);
  return round(select(exact, -exact, v < 0.0));
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = flatIndex(id, groups, WORKGROUP);
  if (index >= params.count) { return; }
  let v = x[index];
  let whole = vec4f(steps(v.x), steps(v.y), steps(v.z), steps(v.w));
  let q = vec4i(clamp(whole, vec4f(-255), vec4f(255))) + lanes(zeroPoint[0]).x;
  out[index] = pack(clamp(q, vec4i(-128), vec4i(127)));
}
