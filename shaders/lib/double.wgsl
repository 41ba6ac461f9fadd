// Numbers of f64 that are not negative, in integers: value = (high · 2³² + low) · 2^exponent, 53 bits, the
// first of them set, or none where the value is 0. Each function rounds once, to nearest, ties to even, as a
// host's f64 does; that numbers may be below the least normal f64 does not happen to sums and quotients of f32.
struct Double {
  high: u32,
  low: u32,
  exponent: i32,
}

// 64 bits, high word first.
alias Bits = vec2u;

fn shiftLeft(v: Bits, n: u32) -> Bits {
  if (n == 0u) { return v; }
  if (n >= 32u) { return Bits(v.y << (n - 32u), 0u); }
  return Bits((v.x << n) | (v.y >> (32u - n)), v.y << n);
}

fn shiftRight(v: Bits, n: u32) -> Bits {
  if (n == 0u) { return v; }
  if (n >= 64u) { return Bits(); }
  if (n >= 32u) { return Bits(0u, v.x >> (n - 32u)); }
  return Bits(v.x >> n, (v.y >> n) | (v.x << (32u - n)));
}

fn isLess(a: Bits, b: Bits) -> bool {
  return a.x < b.x || (a.x == b.x && a.y < b.y);
}

fn plus(a: Bits, b: Bits) -> Bits {
  let low = a.y + b.y;
  return Bits(a.x + b.x + select(0u, 1u, low < a.y), low);
}

fn minus(a: Bits, b: Bits) -> Bits {
  return Bits(a.x - b.x - select(0u, 1u, a.y < b.y), a.y - b.y);
}

// v / 2ⁿ to the nearest integer, ties to even; n ≥ 1.
fn roundShift(v: Bits, n: u32) -> Bits {
  if (n > 64u) { return Bits(); }
  let floor = shiftRight(v, n);
  var rest = v; // what is cut off
  if (n < 64u) { rest = minus(v, shiftLeft(floor, n)); }
  let half = shiftLeft(Bits(0u, 1u), n - 1u);
  let isUp = isLess(half, rest) || (all(half == rest) && (floor.y & 1u) == 1u);
  return plus(floor, Bits(0u, select(0u, 1u, isUp)));
}

// v · 2^exponent, the top bit of v set, its last bit standing for all that lie below it.
fn rounded(v: Bits, exponent: i32) -> Double {
  let m = roundShift(v, 11u);
  if (m.x == 0x200000u) { return Double(0x100000u, 0u, exponent + 12); }
  return Double(m.x, m.y, exponent + 11);
}

// |f| of the f32 with these bits.
fn widen(bits: u32) -> Double {
  var m = bits & 0x7fffffu;
  var exponent = i32((bits >> 23u) & 255u);
  if (exponent == 0) {
    if (m == 0u) { return Double(); }
    let shift = countLeadingZeros(m) - 8u;
    m = m << shift;
    exponent = 1 - i32(shift);
  }
  m |= 0x800000u;
  return Double(m >> 3u, m << 29u, exponent - 179);
}

fn isZero(a: Double) -> bool {
  return a.high == 0u;
}

fn add(p: Double, q: Double) -> Double {
  if (isZero(p)) { return q; }
  if (isZero(q)) { return p; }
  var a = p;
  var b = q;
  if (p.exponent < q.exponent) {
    a = q;
    b = p;
  }
  let apart = u32(a.exponent - b.exponent);
  let whole = shiftLeft(Bits(b.high, b.low), 10u);
  var moved = shiftRight(whole, apart);
  if (apart > 0u && (apart >= 64u || any(shiftLeft(moved, apart) != whole))) { moved.y |= 1u; }
  let sum = plus(shiftLeft(Bits(a.high, a.low), 10u), moved);
  if (sum.x >= 0x80000000u) { return rounded(sum, a.exponent - 10); }
  return rounded(shiftLeft(sum, 1u), a.exponent - 11);
}

// b is not 0.
fn quotient(a: Double, b: Double) -> Double {
  if (isZero(a)) { return a; }
  let divisor = Bits(b.high, b.low);
  var rest = Bits(a.high, a.low);
  var exponent = a.exponent - b.exponent;
  if (isLess(rest, divisor)) {
    rest = shiftLeft(rest, 1u);
    exponent--;
  }
  var q = Bits();
  for (var bit = 0; bit < 55; bit++) {
    q = shiftLeft(q, 1u);
    if (!isLess(rest, divisor)) {
      rest = minus(rest, divisor);
      q.y |= 1u;
    }
    rest = shiftLeft(rest, 1u);
  }
  return rounded(shiftLeft(q, 9u) | Bits(0u, select(0u, 1u, any(rest != Bits()))), exponent - 63);
}

// The bits of the nearest f32; what is greater than all of them does not occur.
fn narrow(a: Double) -> u32 {
  if (isZero(a)) { return 0u; }
  let top = a.exponent + 52; // of the value's first bit
  let below = max(0, -126 - top);
  let m = roundShift(Bits(a.high, a.low), u32(29 + min(below, 40))).y;
  // A first bit at its place, and a carry out of the rounding, add to the exponent.
  return m + (u32(max(top, -126) + 126) << 23u);
}

// The nearest integer of a value below 2³¹.
fn nearest(a: Double) -> u32 {
  if (isZero(a) || a.exponent < -60) { return 0u; }
  return roundShift(Bits(a.high, a.low), u32(-a.exponent)).y;
}

// The product of two f32, by their bits: 48 bits are exact.
fn product(a: u32, b: u32) -> Double {
  let p = widen(a);
  let q = widen(b);
  if (isZero(p) || isZero(q)) { return Double(); }
  let m = (p.high << 3u) | (p.low >> 29u);
  let n = (q.high << 3u) | (q.low >> 29u);
  let outer = Bits(0u, (m >> 12u) * (n >> 12u));
  let inner = Bits(0u, (m >> 12u) * (n & 4095u) + (m & 4095u) * (n >> 12u));
  let all48 = plus(plus(shiftLeft(outer, 24u), shiftLeft(inner, 12u)), Bits(0u, (m & 4095u) * (n & 4095u)));
  let exponent = p.exponent + q.exponent + 58;
  let lead = countLeadingZeros(all48.x); // 16 or 17
  return Double(shiftLeft(all48, lead - 11u).x, shiftLeft(all48, lead - 11u).y, exponent - i32(lead - 11u));
}
