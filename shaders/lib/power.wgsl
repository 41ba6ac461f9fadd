// a ^ b as IEEE's pow, where WGSL's is undefined for a < 0: the size by exp2(b · log2 |a|), or by products where b
// is whole and |b| ≤ 15; the sign of an odd power; and by their bits NaN and ∞.

fn isWhole(b: vec4f) -> vec4<bool> {
  return floor(b) == b;
}

fn isOdd(b: vec4f) -> vec4<bool> {
  let half = 0.5 * abs(b);
  return isWhole(b) & (floor(half) != half);
}

/** |a| ^ b with a's sign where b is odd; finite values of a and b whose power is finite. */
fn power(a: vec4f, b: vec4f) -> vec4f {
  let size = abs(a);
  let any = exp2(clamp(b * log2(max(size, vec4f(1.17549435e-38))), vec4f(-150), vec4f(128)));
  var product = vec4f(1);
  var square = size;
  var bits = vec4u(min(abs(b), vec4f(15)));
  for (var bit = 0; bit < 4; bit++) {
    product = select(product, product * square, (bits & vec4u(1)) == vec4u(1));
    square *= square;
    bits = bits >> vec4u(1);
  }
  product = select(product, 1.0 / product, b < vec4f(0));
  let y = select(any, product, isWhole(b) & (abs(b) <= vec4f(15)));
  return select(y, -y, isOdd(b) & (a < vec4f(0)));
}

/** The bits of a ^ b, of which power(a, b) is y. */
fn powerBits(a: vec4f, b: vec4f, y: vec4f) -> vec4u {
  let aBits = bitcast<vec4u>(a) & vec4u(0x7fffffffu);
  let bBits = bitcast<vec4u>(b) & vec4u(0x7fffffffu);
  let infinity = vec4u(0x7f800000u);
  let isZero = aBits == vec4u(0);
  let isNegative = bitcast<vec4u>(a) > vec4u(0x80000000u); // by its bits: a device may take a subnormal one for 0
  var bits = select(bitcast<vec4u>(y), vec4u(0), isZero & (b > vec4f(0)));
  let sign = select(vec4u(0), bitcast<vec4u>(a) & vec4u(0x80000000u), isOdd(b));
  bits = select(bits, sign | infinity, isZero & (b < vec4f(0)));
  let isNan = (aBits > infinity) | (bBits > infinity) | (isNegative & !isWhole(b) & (aBits != infinity));
  bits = select(bits, vec4u(0x7fc00000u), isNan);
  let isOne = (bBits == vec4u(0)) | (bitcast<vec4u>(a) == vec4u(0x3f800000u))
    | ((aBits == vec4u(0x3f800000u)) & (bBits == infinity));
  return select(bits, vec4u(0x3f800000u), isOne);
}
