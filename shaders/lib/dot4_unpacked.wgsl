// dot4.wgsl's functions for devices without packed_4x8_integer_dot_product: the same integers.
fn lanes(word: u32) -> vec4i {
  let w = bitcast<i32>(word);
  return vec4i(w << 24u, w << 16u, w << 8u, w) >> vec4u(24u);
}

fn dot4(a: u32, b: u32) -> i32 {
  let p = lanes(a) * lanes(b);
  return p.x + p.y + p.z + p.w;
}

fn pack(q: vec4i) -> u32 {
  let b = bitcast<vec4u>(q) & vec4u(255u);
  return b.x | (b.y << 8u) | (b.z << 16u) | (b.w << 24u);
}
