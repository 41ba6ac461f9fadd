// The rate of int8 products where dot4I8Packed is emulated: a word's lanes are unpacked to float and
// meet a 4 × 4 patch. A word serves four patches, as in a tile four words wide.
//
// sums[p] ← sums[p] + patch[p] · unpack(word), `steps` times: 4 × 16 = 64 multiply-adds a step.

override WORKGROUP: u32 = 64;

struct Params {
  steps: u32,
  a: f32,
  b: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> out: array<f32>; // one an invocation

fn lanes(word: u32) -> vec4f {
  return vec4f(bitcast<vec4i>((word * vec4u(0x1000000u, 0x10000u, 0x100u, 1u)) & vec4u(0xff000000u)));
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let seed = id.x * 0x9e3779b9u;
  let p0 = mat4x4f(lanes(seed), lanes(seed * 3u), lanes(seed * 5u), lanes(seed * 7u));
  let p1 = mat4x4f(lanes(seed ^ 9u), lanes(seed * 13u), lanes(seed * 15u), lanes(seed * 17u));
  let p2 = mat4x4f(lanes(seed ^ 19u), lanes(seed * 23u), lanes(seed * 25u), lanes(seed * 27u));
  let p3 = mat4x4f(lanes(seed ^ 29u), lanes(seed * 33u), lanes(seed * 35u), lanes(seed * 37u));
  var sum0 = vec4f(0.0);
  var sum1 = vec4f(0.0);
  var sum2 = vec4f(0.0);
  var sum3 = vec4f(0.0);
  var word = seed;
  for (var step = 0u; step < params.steps; step++) {
    let x = lanes(word);
    sum0 += p0 * x;
    sum1 += p1 * x;
    sum2 += p2 * x;
    sum3 += p3 * x;
    word += 0x01030507u;
  }
  out[id.x] = dot(sum0 + sum1 + sum2 + sum3, vec4f(0x1p-48f));
}
