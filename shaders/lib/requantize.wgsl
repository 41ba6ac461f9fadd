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

// v / 2ᵏ to the nearest integer, ties to even: docs/quantization.md (37).
fn roundShiftEven(v: vec4i, k: u32) -> vec4i {
  let floor = v >> vec4u(k);
  let rest = v & vec4i((1 << k) - 1);
  let half = vec4i((1 << k) >> 1u);
  let odd = (floor & vec4i(1)) == vec4i(1);
  return floor + select(vec4i(0), vec4i(1), (rest > half) | ((rest == half) & odd & (half > vec4i(0))));
}
