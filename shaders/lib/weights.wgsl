// A product of float rows by a weight of few bits, and how the weight is unpacked:
//
//   out[r, o] = clamp(bias[o] + Σᵢ x[r, i] · w[o, i], low, high),  w[o, i] = fl((q[o, i] − z[o, g]) · s[o, g])
//
// g is the block of i; docs/quantization.md (47). A step is eight input lanes of four output channels: eight
// columns of four elements, BITS each. Integers leave as multiples of a power of two (a multiplication and a
// mask for four lanes at once; software adapters shift lane by lane), which the host has taken out of s and put
// into z: all of it exact.

override BITS: u32 = 8;       // 16: float16; 8: int8; 4: int4 plus 8, or uint4
override ZEROS: bool = false; // each vec4 of scales is followed by its zero points

struct Params {
  rows: u32,
  outWords: u32,   // output channels / 4
  last: u32,       // output channels
  inWords: u32,    // input channels / 4
  steps: u32,      // input channels / 8
  blocks: u32,     // of one output channel
  blockSteps: u32, // steps of a block
  low: f32,
  high: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;         // (rows, inWords)
@group(0) @binding(2) var<storage, read> weights: array<vec4u>;   // (outWords, steps) of 8 columns of 4 elements
@group(0) @binding(3) var<storage, read> scales: array<vec4f>;    // (outWords, blocks), with ZEROS of 2
@group(0) @binding(4) var<storage, read> bias: array<vec4f>;      // (outWords)
@group(0) @binding(5) var<storage, read_write> out: array<vec4f>; // (rows, outWords)

struct Step {
  first: mat4x4f, // column = input lane 0 … 3, row = output lane
  second: mat4x4f, // input lanes 4 … 7
}

fn halves(low: u32, high: u32) -> vec4f {
  return vec4f(unpack2x16float(low), unpack2x16float(high));
}

// times 2²⁴
fn bytes(word: u32) -> vec4f {
  return vec4f(bitcast<vec4i>((word * vec4u(0x1000000u, 0x10000u, 0x100u, 1u)) & vec4u(0xff000000u)));
}

// of the low 16 bits, times 2¹²
fn nibbles(word: u32) -> vec4f {
  return vec4f(bitcast<vec4i>((word * vec4u(0x1000u, 0x100u, 0x10u, 1u)) & vec4u(0xf000u)));
}

// The elements of a step as stored; `at` counts steps.
fn storedStep(at: u32) -> Step {
  if (BITS == 16u) {
    let a = weights[4u * at];
    let b = weights[4u * at + 1u];
    let c = weights[4u * at + 2u];
    let d = weights[4u * at + 3u];
    return Step(
      mat4x4f(halves(a.x, a.y), halves(a.z, a.w), halves(b.x, b.y), halves(b.z, b.w)),
      mat4x4f(halves(c.x, c.y), halves(c.z, c.w), halves(d.x, d.y), halves(d.z, d.w)));
  }
  if (BITS == 8u) {
    let a = weights[2u * at];
    let b = weights[2u * at + 1u];
    return Step(
      mat4x4f(bytes(a.x), bytes(a.y), bytes(a.z), bytes(a.w)),
      mat4x4f(bytes(b.x), bytes(b.y), bytes(b.z), bytes(b.w)));
  }
  let a = weights[at];
  return Step(
    mat4x4f(nibbles(a.x), nibbles(a.x >> 16u), nibbles(a.y), nibbles(a.y >> 16u)),
    mat4x4f(nibbles(a.z), nibbles(a.z >> 16u), nibbles(a.w), nibbles(a.w >> 16u)));
}

// One column as stored; `at` counts columns.
fn storedColumn(at: u32) -> vec4f {
  if (BITS == 16u) {
    let pair = weights[at / 2u];
    return select(halves(pair.x, pair.y), halves(pair.z, pair.w), (at & 1u) == 1u);
  }
  if (BITS == 8u) {
    let four = weights[at / 4u];
    return bytes(four[at & 3u]);
  }
  let eight = weights[at / 8u];
  return nibbles(eight[(at >> 1u) & 3u] >> ((at & 1u) * 16u));
}

fn scaleAt(group: u32) -> vec4f {
  if (ZEROS) { return scales[2u * group]; }
  return scales[group];
}

fn zeroAt(group: u32) -> vec4f {
  if (ZEROS) { return scales[2u * group + 1u]; }
  return select(vec4f(), vec4f(0x8000), BITS == 4u);
}

// `m` less the zero points; float16 has none.
fn shifted(m: mat4x4f, zero: vec4f) -> mat4x4f {
  if ((BITS == 8u && !ZEROS) || BITS == 16u) { return m; }
  return m - mat4x4f(zero, zero, zero, zero);
}

// q − z of a step.
fn differences(at: u32, group: u32) -> Step {
  let step = storedStep(at);
  let zero = zeroAt(group);
  return Step(shifted(step.first, zero), shifted(step.second, zero));
}

// w of a step.
fn weightStep(at: u32, group: u32) -> Step {
  let step = differences(at, group);
  let s = scaleAt(group);
  return Step(
    mat4x4f(step.first[0] * s, step.first[1] * s, step.first[2] * s, step.first[3] * s),
    mat4x4f(step.second[0] * s, step.second[1] * s, step.second[2] * s, step.second[3] * s));
}

fn store(at: u32, sum: vec4f) {
  out[at] = bounded(sum, vec4f(params.low), vec4f(params.high), at % params.outWords);
}
