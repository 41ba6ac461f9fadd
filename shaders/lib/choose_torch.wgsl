// PyTorch's ChooseQuantizationParams, docs/quantization.md (14), made in f64 by lib/double.wgsl. Needs lib/double.wgsl.

// PyTorch's rule, with lo ≤ 0 ≤ hi: scale as bits, and the zero point above qmin.
fn chooseTorch(lo: u32, hi: u32, levels: u32) -> vec2u {
  const LEAST = 0x387fda40u; // 6.1e-5
  let wide = quotient(add(widen(lo), widen(hi)), widen(bitcast<u32>(f32(levels))));
  var scale = narrow(wide);
  if (scale <= 0x200000u) { return vec2u(0x3dcccccdu, 0u); } // at most 2⁻¹²⁸, of which 1/s is infinite: 0.1
  let isSmall = isBelow(wide, widen(LEAST));
  if (!isSmall) { return vec2u(scale, min(nearest(quotient(widen(lo), wide)), levels)); }
  if ((lo & 0x7fffffffu) == 0u) { return vec2u(LEAST, 0u); }
  if ((hi & 0x7fffffffu) == 0u) { return vec2u(LEAST, levels); }
  let amplifier = narrow(quotient(widen(LEAST), widen(scale)));
  let moved = narrow(product(lo, amplifier));
  return vec2u(LEAST, min(nearest(quotient(widen(moved), widen(LEAST))), levels));
}

fn isBelow(a: Double, b: Double) -> bool {
  if (isZero(a)) { return !isZero(b); }
  if (a.exponent != b.exponent) { return a.exponent < b.exponent; }
  return isLess(Bits(a.high, a.low), Bits(b.high, b.low));
}
