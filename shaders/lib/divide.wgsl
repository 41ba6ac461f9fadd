// a / b to the nearest f32, ties to even: 24 bits by long division, since a GPU's own division may be 2.5 ULP
// off. a ≥ 0 and b > 0 are finite, b normal; a and quotients below the least normal count as 0.
fn divide(a: f32, b: f32) -> f32 {
  let top = bitcast<u32>(a);
  let bottom = bitcast<u32>(b);
  let divisor = (bottom & 0x7fffffu) | 0x800000u;
  var rest = (top & 0x7fffffu) | 0x800000u;
  var exponent = i32(top >> 23u) - i32(bottom >> 23u);
  if (rest < divisor) { // so that the quotient is in [1, 2)
    rest = rest * 2u;
    exponent--;
  }
  var quotient = 0u;
  for (var bit = 0; bit < 24; bit++) {
    quotient = quotient * 2u;
    if (rest >= divisor) {
      rest -= divisor;
      quotient++;
    }
    rest = rest * 2u;
  }
  if (rest > divisor || (rest == divisor && (quotient & 1u) == 1u)) { quotient++; }
  if ((top & 0x7f800000u) == 0u || exponent < -126) { return 0.0; }
  // The quotient's leading bit, and a carry out of its rounding, add to the exponent.
  return bitcast<f32>((u32(exponent + 126) << 23u) + quotient);
}
