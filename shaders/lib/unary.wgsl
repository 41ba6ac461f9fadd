// f(x), element by element. OP chooses f: 0 clip, 1 leaky relu, 2 sigmoid, 3 hard sigmoid, 4 hard swish,
// 5 tanh, 6 erf, 7 gelu, 8 gelu by tanh, 9 elu and selu, 10 softplus, 11 neg, 12 abs, 13 sign, 14 floor, 15 ceil,
// 16 round to even; 17 exp, 18 log, 19 sqrt, 20 reciprocal, 21 reciprocal of sqrt.
//
// The last five may give ∞ or NaN, which no WGSL function promises: these are set by their bits, and padding
// lanes are 0. NaN stays NaN: elements come and go as bits. Needs lib/erf.wgsl.

override OP: u32 = 0;

struct Params {
  count: u32, // words
  words: u32, // words of the last axis
  last: u32,  // its elements, padding excluded
  a: f32,     // clip: low;  leaky relu, hard sigmoid, elu: alpha
  b: f32,     // clip: high; hard sigmoid: beta; elu: gamma
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4u>;         // (count), f32 by their bits

const INFINITY = 0x7f800000u;
const NAN = 0x7fc00000u;

fn hardSigmoid(v: vec4f, alpha: f32, beta: f32) -> vec4f {
  return clamp(v * alpha + beta, vec4f(0), vec4f(1));
}

fn apply(v: vec4f) -> vec4f {
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
    case 13u: { return sign(v); }
    case 14u: { return floor(v); }
    case 15u: { return ceil(v); }
    case 16u: { return round(v); }
    case 17u: { return exp(min(v, vec4f(88.722839))); }
    case 18u: { return log(max(v, vec4f(1.17549435e-38))); }
    case 19u: { return sqrt(max(v, vec4f(0))); }
    case 20u: { return 1.0 / select(v, vec4f(1), v == vec4f(0)); }
    case 21u: { return inverseSqrt(max(v, vec4f(1.17549435e-38))); }
    default: { return tanh(clamp(v, vec4f(-20), vec4f(20))); } // tanh(20) is 1 in f32; some drivers overflow past it
  }
}

/** The bits of f(v) where it is not finite; else y. */
fn beyond(v: vec4f, bits: vec4u, y: vec4u) -> vec4u {
  let isZero = (bits & vec4u(0x7fffffffu)) == vec4u(0);
  let isNegative = v < vec4f(0);
  switch OP {
    case 17u: { return select(y, vec4u(INFINITY), v > vec4f(88.722839)); }
    case 18u: {
      let finite = select(y, vec4u(0x80000000u | INFINITY), isZero);
      return select(select(finite, vec4u(INFINITY), bits == vec4u(INFINITY)), vec4u(NAN), isNegative);
    }
    case 19u: { return select(y, vec4u(NAN), isNegative); }
    case 20u: { return select(y, bits | vec4u(INFINITY), isZero); }
    case 21u: { return select(select(y, vec4u(INFINITY), isZero), vec4u(NAN), isNegative); }
    default: { return y; }
  }
}

/** f of word `index`, by its bits. */
fn valueAt(index: u32) -> vec4u {
  let bits = x[index];
  let v = bitcast<vec4f>(bits);
  var y = bitcast<vec4u>(apply(v));
  if (OP >= 17u) { y = select(vec4u(0), beyond(v, bits, y), isReal(index)); }
  let isNan = (bits & vec4u(0x7fffffffu)) > vec4u(INFINITY);
  return select(y, bits, isNan);
}

/** Which lanes of word `index` are no padding. */
fn isReal(index: u32) -> vec4<bool> {
  return (index % params.words) * 4u + vec4u(0, 1, 2, 3) < vec4u(params.last);
}
