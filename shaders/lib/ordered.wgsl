// Floats as u32 in the same order, so that integer atomics find minimum and maximum, and tests for
// non-finite values that no compiler may assume away: bits only, no float ever looks at them.
fn ordered(bits: u32) -> u32 {
  let b = select(bits, 0u, bits == 0x80000000u); // −0 is 0
  return b ^ select(0x80000000u, 0xffffffffu, (b >> 31u) == 1u);
}

fn isFinite(bits: u32) -> bool {
  return (bits & 0x7fffffffu) < 0x7f800000u;
}

fn fromOrdered(u: u32) -> f32 {
  return bitcast<f32>(u ^ select(0xffffffffu, 0x80000000u, (u >> 31u) == 1u));
}
