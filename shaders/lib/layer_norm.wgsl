// out = (x − mean) / √(variance + epsilon) · scale + bias, row by row. The mean is found twice: d = x − first
// mean, mean = first + Σd / n, variance = Σd² / n − (Σd / n)². What the first sum lost by rounding is in Σd, and the two
// parts of the mean are never added, so rows far from 0 keep their digits.
struct Params {
  count: u32,   // rows
  words: u32,   // words of a row
  last: u32,    // its elements, padding excluded
  share: f32,   // 1 / last
  epsilon: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;         // (count, words)
@group(0) @binding(2) var<storage, read> scale: array<vec4f>;     // (words)
@group(0) @binding(3) var<storage, read> bias: array<vec4f>;      // (words)
@group(0) @binding(4) var<storage, read_write> outRange: array<vec2f>; // (count) with RANGE: least and greatest of a row and 0
@group(0) @binding(5) var<storage, read_write> out: array<vec4f>; // (count, words)

override RANGE: bool = false; // a DynamicQuantizeLinear reads out: docs/quantization.md (8)

/** v with padding lanes 0. */
fn realLanes(v: vec4f, word: u32) -> vec4f {
  return select(vec4f(0), v, (word * 4u + vec4u(0, 1, 2, 3)) < vec4u(params.last));
}

fn lanesSum(v: vec4f) -> f32 {
  return v.x + v.y + v.z + v.w;
}

struct Moments {
  first: f32,
  rest: f32,    // first + rest is the mean
  inverse: f32, // 1 / √(variance + epsilon)
}

/** Of a row by its first mean, Σd and Σd². */
fn momentsOf(first: f32, sum: f32, squares: f32) -> Moments {
  let rest = sum * params.share;
  let variance = max(squares * params.share - rest * rest, 0.0);
  return Moments(first, rest, inverseSqrt(variance + params.epsilon));
}

fn store(base: u32, word: u32, row: Moments) -> vec4f {
  let y = realLanes(((x[base + word] - row.first) - row.rest) * row.inverse * scale[word] + bias[word], word);
  out[base + word] = y;
  return y;
}

/** The least and greatest of the lanes of both. */
fn rangeOf(low: vec4f, high: vec4f) -> vec2f {
  return vec2f(min(min(low.x, low.y), min(low.z, low.w)), max(max(high.x, high.y), max(high.z, high.w)));
}
