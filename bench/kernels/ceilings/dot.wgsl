requires packed_4x8_integer_dot_product;
// The rate of dot4I8Packed: eight sums, one operand that changes with the loop, no memory in it.
//
// sum ← sum + dot4(word, w), `steps` times: 8 × 4 = 32 multiply-adds a step.

override WORKGROUP: u32 = 64;

struct Params {
  steps: u32,
  a: f32,
  b: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> out: array<f32>; // one an invocation

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let seed = id.x * 0x9e3779b9u;
  let w0 = vec4u(seed, seed ^ 0x01020304u, seed ^ 0x10203040u, seed ^ 0x7f00ff01u);
  let w1 = w0 * 3u;
  var sum0 = vec4i(0);
  var sum1 = vec4i(0);
  var word = seed;
  for (var step = 0u; step < params.steps; step++) {
    sum0 += vec4i(
      dot4I8Packed(word, w0.x), dot4I8Packed(word, w0.y),
      dot4I8Packed(word, w0.z), dot4I8Packed(word, w0.w));
    sum1 += vec4i(
      dot4I8Packed(word, w1.x), dot4I8Packed(word, w1.y),
      dot4I8Packed(word, w1.z), dot4I8Packed(word, w1.w));
    word += 0x01030507u;
  }
  let sum = sum0 + sum1;
  out[id.x] = f32(sum.x ^ sum.y ^ sum.z ^ sum.w);
}
