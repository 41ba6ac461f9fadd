// use lib/grid.wgsl
// use lib/erf.wgsl
//
// out = gradient · f′(x), element by element. OP and constants are those of lib/unary.wgsl. At a corner f′ is what
// PyTorch's autograd gives there. An invocation owns one word.
//
// f′ of sqrt, log and reciprocal may be ∞, which no WGSL function promises: there the result is set by its bits.
// Padding lanes are 0. NaN stays NaN.

override WORKGROUP: u32 = 64;
override OP: u32 = 0;

struct Params {
  count: u32, // words
  words: u32, // words of the last axis
  last: u32,  // its elements, padding excluded
  a: f32,     // leaky relu, hard sigmoid, elu: alpha
  b: f32,     // hard sigmoid: beta; elu: gamma
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;         // (count)
@group(0) @binding(2) var<storage, read> gradient: array<vec4f>;  // (count)
@group(0) @binding(3) var<storage, read_write> out: array<vec4f>; // (count)

const ZERO = vec4f(0);

/** 1 − tanh² t, of e = e^(−2 |t|), so that nothing cancels. */
fn tanhSlope(v: vec4f) -> vec4f {
  let e = exp(-2.0 * abs(v));
  return 4.0 * e / ((1.0 + e) * (1.0 + e));
}

fn slope(v: vec4f) -> vec4f {
  switch OP {
    case 1u: { return select(vec4f(params.a), vec4f(1), v > ZERO); }
    case 2u: { return 0.25 * tanhSlope(0.5 * v); }
    case 3u: {
      let y = v * params.a + params.b;
      return select(ZERO, vec4f(params.a), (y > ZERO) & (y < vec4f(1)));
    }
    case 4u: { return select(select(vec4f(1), v / 3.0 + 0.5, v <= vec4f(3)), ZERO, v < vec4f(-3)); }
    case 6u: { return 1.1283791670955126 * exp(-v * v); }
    case 7u: { return 0.5 * (1.0 + erf(v * 0.7071067811865476)) + v * 0.3989422804014327 * exp(-0.5 * v * v); }
    case 8u: {
      let k = 0.7978845608028654;
      let t = clamp(k * (v + 0.044715 * v * v * v), vec4f(-20), vec4f(20));
      return 0.5 * (1.0 + tanh(t)) + 0.5 * v * tanhSlope(t) * k * (1.0 + 0.134145 * v * v);
    }
    case 9u: { return params.b * select(params.a * exp(min(v, ZERO)), vec4f(1), v > ZERO); }
    case 10u: { return 1.0 / (1.0 + exp(-v)); }
    case 12u: { return sign(v); }
    case 17u: { return exp(v); }
    case 18u: { return 1.0 / select(v, vec4f(1), v == ZERO); }
    case 19u: { return 0.5 * inverseSqrt(max(v, vec4f(1.17549435e-38))); }
    case 20u: {
      let inverse = 1.0 / select(v, vec4f(1), v == ZERO);
      return -inverse * inverse;
    }
    default: { return tanhSlope(v); }
  }
}

fn isNan(v: vec4f) -> vec4<bool> {
  return (bitcast<vec4u>(v) & vec4u(0x7fffffffu)) > vec4u(0x7f800000u);
}

/** Which lanes of word `index` are no padding. */
fn isReal(index: u32) -> vec4<bool> {
  return (index % params.words) * 4u + vec4u(0, 1, 2, 3) < vec4u(params.last);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = flatIndex(id, groups, WORKGROUP);
  if (index >= params.count) { return; }
  let v = x[index];
  let dY = gradient[index];
  var bits = bitcast<vec4u>(dY * slope(v));
  var none = isNan(v) | isNan(dY);
  if (OP >= 18u) {
    // ∞ times a gradient: of its sign, and of 0 no number. 1 / x has the sign of 0, −1 / x² has not.
    let side = select(bitcast<vec4u>(v), vec4u(0x80000000u), OP == 20u);
    let infinite = ((bitcast<vec4u>(dY) ^ side) & vec4u(0x80000000u)) | vec4u(0x7f800000u);
    bits = select(bits, infinite, v == ZERO);
    none = none | ((v == ZERO) & (dY == ZERO));
    if (OP == 19u) { none = none | (v < ZERO); }
  }
  bits = select(bits, vec4u(0x7fc00000u), none);
  out[index] = bitcast<vec4f>(select(vec4u(0), bits, isReal(index)));
}
