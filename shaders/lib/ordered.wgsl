// Floats as u32 in the same order, so that integer atomics find minimum and maximum, and tests for
// non-finite values that no compiler may assume away: bits only, no float ever looks at them.
fn ordered(bits: vec4u) -> vec4u {
  let b = select(bits, vec4u(0u), bits == vec4u(0x80000000u)); // −0 is 0
  return b ^ select(vec4u(0x80000000u), vec4u(0xffffffffu), (b >> vec4u(31u)) == vec4u(1u));
}

fn isFinite(bits: vec4u) -> vec4<bool> {
  return (bits & vec4u(0x7fffffffu)) < vec4u(0x7f800000u);
}

fn fromOrdered(u: u32) -> f32 {
  return bitcast<f32>(u ^ select(0xffffffffu, 0x80000000u, (u >> 31u) == 1u));
}
