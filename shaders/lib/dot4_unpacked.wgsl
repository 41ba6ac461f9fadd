// dot4.wgsl's functions for devices where packed_4x8_integer_dot_product is missing or emulated: the
// same integers. A block of the filter is unpacked once for all pixels that it meets, and multiplied
// in float: a sum of four int8 products is at most 2¹⁶, exact in f32 in any order.
fn lanes(word: u32) -> vec4i {
  let w = bitcast<i32>(word);
  return vec4i(w << 24u, w << 16u, w << 8u, w) >> vec4u(24u);
}

alias Block = mat4x4f; // column = input lane, row = output lane

fn blockOf(f: vec4u) -> Block {
  let w = bitcast<vec4i>(f);
  return mat4x4f(
    vec4f((w << vec4u(24u)) >> vec4u(24u)),
    vec4f((w << vec4u(16u)) >> vec4u(24u)),
    vec4f((w << vec4u(8u)) >> vec4u(24u)),
    vec4f(w >> vec4u(24u)));
}

fn dots(f: Block, word: u32) -> vec4i {
  // 1.5 · 2²³ + n holds n in its low bits: cheaper than a conversion, which must saturate.
  return bitcast<vec4i>(f * vec4f(lanes(word)) + 12582912.0) - 0x4b400000;
}

fn pack(q: vec4i) -> u32 {
  let b = bitcast<vec4u>(q) & vec4u(255u);
  return b.x | (b.y << 8u) | (b.z << 16u) | (b.w << 24u);
}
