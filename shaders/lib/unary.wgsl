// f(x), element by element. OP chooses f: 0 clip, 1 leaky relu, 2 sigmoid, 3 hard sigmoid, 4 hard swish,
// 5 tanh, 6 erf, 7 gelu, 8 gelu by tanh, 9 elu and selu, 10 softplus, 11 neg, 12 abs, 13 sign, 14 floor, 15 ceil,
// 16 round to even; 17 exp, 18 log, 19 sqrt, 20 reciprocal, 21 reciprocal of sqrt.
//
// Infinities and NaN that no WGSL function promises are set by their bits, and so is what a device that takes subnormal
// numbers for 0 would not see; padding lanes of the last five are 0. NaN stays NaN: elements come and go as bits.
// Needs lib/erf.wgsl.

override OP: u32 = 0;

struct Params {
  count: u32, // words
  words: u32, // words of the last axis
  last: u32,  // its elements, padding excluded
  a: f32,     // clip: low;  leaky relu, hard sigmoid, elu: alpha; sqrt: 1 where it is the power ½
  b: f32,     // clip: high; hard sigmoid: beta; elu: gamma
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4u>;         // (count), f32 by their bits

const INFINITY = 0x7f800000u;
const NAN = 0x7fc00000u;
const SIGN = 0x80000000u;

fn hardSigmoid(v: vec4f, alpha: f32, beta: f32) -> vec4f {
  return clamp(v * alpha + beta, vec4f(0), vec4f(1));
}

/** Which lanes are subnormal and not 0. */
fn isTiny(bits: vec4u) -> vec4<bool> {
  return ((bits & vec4u(0x7fffffffu)) - vec4u(1)) < vec4u(0x7fffffu);
}

/** v, or of a subnormal one |v| · 2¹⁴⁹, which is a whole number; at least the least normal number. */
fn raised(v: vec4f, bits: vec4u) -> vec4f {
  return select(max(v, vec4f(1.17549435e-38)), vec4f(bits & vec4u(0x7fffffffu)), isTiny(bits));
}

fn apply(v: vec4f, bits: vec4u) -> vec4f {
  switch OP {
    case 0u: { return clamp(v, vec4f(params.a), vec4f(params.b)); }
    case 1u: { return select(v * params.a, v, v >= vec4f(0)); }
    case 2u: { return 1.0 / (1.0 + exp(-v)); }
    case 3u: { return hardSigmoid(v, params.a, params.b); }
    case 4u: { return v * hardSigmoid(v, 1.0 / 6.0, 0.5); }
    case 6u: { return erf(v); }
    case 7u: { return gelu(v); }
    case 8u: { return geluTanh(v); }
    case 9u: { return params.b * select(params.a * (exp(min(v, vec4f(0))) - 1.0), v, v >= vec4f(0)); }
    case 10u: { return max(v, vec4f(0)) + log(1.0 + exp(-abs(v))); }
    case 11u: { return -v; }
    case 12u: { return abs(v); }
    case 13u: { return v; } // by its bits
    case 14u: { return floor(v); }
    case 15u: { return ceil(v); }
    case 16u: { return round(v); }
    case 17u: { return exp(min(v, vec4f(88.722839))); }
    case 18u: { return log(raised(v, bits)) - select(vec4f(0), vec4f(103.27893), isTiny(bits)); }
    case 19u: { return sqrt(raised(v, bits)) * select(vec4f(1), vec4f(3.7433924e-23), isTiny(bits)); }
    case 20u: { return 1.0 / select(v, vec4f(1), v == vec4f(0)); }
    case 21u: { return inverseSqrt(raised(v, bits)) * select(vec4f(1), vec4f(2.6713738e22), isTiny(bits)); }
    default: { return tanh(clamp(v, vec4f(-20), vec4f(20))); } // tanh(20) is 1 in f32; some drivers overflow past it
  }
}

/** The bits of f(v) where y, those of apply(v), are not. */
fn beyond(bits: vec4u, y: vec4u) -> vec4u {
  let size = bits & vec4u(0x7fffffffu);
  let isZero = size == vec4u(0);
  let isEndless = bits == vec4u(INFINITY);
  let isLeast = bits == vec4u(SIGN | INFINITY);
  let isNegative = (bits > vec4u(SIGN)) & !isLeast; // and finite
  switch OP {
    case 7u, 8u: { return select(select(y, vec4u(NAN), isLeast), bits, isEndless); } // ½ · −∞ · 0
    case 13u: { return select((bits & vec4u(SIGN)) | vec4u(0x3f800000u), bits, isZero); }
    case 14u: { return select(y, vec4u(SIGN | 0x3f800000u), isTiny(bits) & isNegative); }
    case 15u: { return select(y, vec4u(0x3f800000u), isTiny(bits) & !isNegative); }
    case 17u: { return select(y, vec4u(INFINITY), bitcast<vec4f>(bits) > vec4f(88.722839)); }
    case 18u: {
      let finite = select(select(y, vec4u(SIGN | INFINITY), isZero), vec4u(NAN), isNegative | isLeast);
      return select(finite, bits, isEndless);
    }
    // −∞ ^ ½ is ∞, and √−∞ is not a number.
    case 19u: {
      let root = select(y, vec4u(NAN), isNegative);
      return select(select(root, bits, isEndless | isZero), vec4u(select(NAN, INFINITY, params.a == 1.0)), isLeast);
    }
    case 20u: { return select(y, bits | vec4u(INFINITY), isZero); }
    case 21u: {
      let root = select(select(y, vec4u(INFINITY), isZero), vec4u(NAN), isNegative);
      return select(root, vec4u(0), isEndless | isLeast);
    }
    default: { return y; }
  }
}

/** f of word `index`, by its bits. */
fn valueAt(index: u32) -> vec4u {
  let bits = x[index];
  let v = bitcast<vec4f>(bits);
  var y = bitcast<vec4u>(apply(v, bits));
  y = beyond(bits, y);
  if (OP >= 17u) { y = select(vec4u(0), y, isReal(index)); }
  let isNan = (bits & vec4u(0x7fffffffu)) > vec4u(INFINITY);
  return select(y, bits, isNan);
}

/** Which lanes of word `index` are no padding. */
fn isReal(index: u32) -> vec4<bool> {
  return (index % params.words) * 4u + vec4u(0, 1, 2, 3) < vec4u(params.last);
}
