// q = clamp(zeroPoint + rint(fl(f32(acc) · multiplier)), low, high)          docs/quantization.md (29)
//
// round() breaks ties to even; nothing is added in float after the product, so there is nothing to
// fuse. Clamping before the integer add is the same value and cannot overflow. Where |acc| may pass
// 2²⁴, f32(acc) is only exact by halves: wide acc convert as docs/quantization.md (33).
fn wideToFloat(acc: vec4i) -> vec4f {
  return vec4f(acc >> vec4u(12u)) * 4096.0 + vec4f(acc & vec4i(4095));
}

fn requantize(acc: vec4f, multiplier: vec4f, zeroPoint: i32, low: i32, high: i32) -> vec4i {
  let q = vec4i(round(acc * multiplier));
  return clamp(q, vec4i(low - zeroPoint), vec4i(high - zeroPoint)) + zeroPoint;
}
