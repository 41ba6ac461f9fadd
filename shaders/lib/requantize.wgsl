// q = clamp(zeroPoint + rint(fl(f32(acc) · multiplier)), low, high)          docs/quantization.md (29)
//
// The product is rounded and clamped before anything else happens to it, so there is nothing to fuse. The bounds are
// integers less the zero point: clamping before rint is the same value, and cannot overflow. Where |acc| may pass 2²⁴,
// f32(acc) is only exact by halves: wide acc convert as docs/quantization.md (33).
fn wideToFloat(acc: vec4i) -> vec4f {
  return vec4f(acc >> vec4u(12u)) * 4096.0 + vec4f(acc & vec4i(4095));
}

// zeroPoint, and the bounds less it.
struct Rounding {
  zeroPoint: i32,
  low: vec4f,
  high: vec4f,
}

fn rounding(zeroPoint: i32, low: i32, high: i32) -> Rounding {
  return Rounding(zeroPoint, vec4f(f32(low - zeroPoint)), vec4f(f32(high - zeroPoint)));
}

// Floats from 2²³ to 2²⁴ are the integers: adding 1.5 · 2²³ rounds, ties to even where additions round to nearest even
// (src/selfTest.ts asks), and leaves the integer in the low bits. Cheaper than round(), which some drivers build from a dozen
// operations, and a conversion, which must saturate.
fn requantize(acc: vec4f, multiplier: vec4f, r: Rounding) -> vec4i {
  let q = clamp(acc * multiplier, r.low, r.high);
  return bitcast<vec4i>(q + 12582912.0) - 0x4b400000 + r.zeroPoint;
}

// v / 2ᵏ to the nearest integer, ties to even: docs/quantization.md (37).
fn roundShiftEven(v: vec4i, k: u32) -> vec4i {
  let floor = v >> vec4u(k);
  let rest = v & vec4i((1 << k) - 1);
  let half = vec4i((1 << k) >> 1u);
  let odd = (floor & vec4i(1)) == vec4i(1);
  return floor + select(vec4i(0), vec4i(1), (rest > half) | ((rest == half) & odd & (half > vec4i(0))));
}
