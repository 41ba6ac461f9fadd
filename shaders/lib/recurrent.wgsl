// What the kernels of LSTM and GRU share: uniforms, activation functions, and the walk over the steps.
//
// H units lie in `words` words of four; lanes past H hold 0. Strides are in words. A workgroup walks the
// steps of one direction for a slice of the batch, and an invocation owns every WORKGROUP-th word of it.

override WORKGROUP: u32 = 64;
override ROOM: u32 = 341; // words of a state that workgroup memory is cut for
override ANY: u32 = 0;    // 0: Sigmoid, Tanh, Tanh; 1: activation functions by number

struct Params {
  first: u32,     // step that this dispatch begins with
  steps: u32,     // how many it walks
  time: u32,      // steps of x
  batch: u32,
  units: u32,     // H
  words: u32,     // of H
  slices: u32,    // workgroups of a direction
  direction: u32, // of the first workgroup
  reverse: u32,   // bit d: direction d walks backwards
  lengthStride: u32, // 0: one length for all batch elements
  rowTime: u32,   // x: strides of a step, of a batch element and of a direction
  rowBatch: u32,
  rowDirection: u32,
  outTime: u32,   // Y
  outBatch: u32,
  outDirection: u32,
  hBatch: u32,    // h at the start
  hDirection: u32,
  cBatch: u32,    // c at the start
  cDirection: u32,
  toBatch: u32,   // both at the end
  toDirection: u32,
  extras: u32,    // first of what follows the weights: a matrix for each direction and word
  writes: u32,    // 0: nobody reads Y
  span: u32,      // batch elements of a workgroup, where h becomes bytes
  levels: u32,    // of these bytes, and the least as stored
  qmin: i32,
  clip: f32,      // of activations' arguments
  peepholes: u32, // LSTM alone: whether there are any
  inputForget: u32, // LSTM alone: the forget gate is 1 − the input gate
  f: u32,         // activation functions, numbered as in plan/lower/recurrent.ts
  g: u32,
  h: u32,
  fAlpha: f32,
  fBeta: f32,
  gAlpha: f32,
  gBeta: f32,
  hAlpha: f32,
  hBeta: f32,
}

// tanh and exp of large arguments overflow on some drivers; where they are cut, f32 has their limits.
fn tanhOf(v: vec4f) -> vec4f { return tanh(clamp(v, vec4f(-20), vec4f(20))); }
fn expOf(v: vec4f) -> vec4f { return exp(clamp(v, vec4f(-87), vec4f(87))); }

fn softplus(v: vec4f) -> vec4f { return max(v, vec4f(0)) + log(1.0 + expOf(-abs(v))); }

fn sigmoid(v: vec4f) -> vec4f { return 1.0 / (1.0 + expOf(-v)); }

fn activate(which: u32, v: vec4f, alpha: f32, beta: f32) -> vec4f {
  switch which {
    case 0u: { return max(v, vec4f(0)); }
    case 1u: { return tanhOf(v); }
    case 2u: { return sigmoid(v); }
    case 3u: { return v * alpha + beta; }
    case 4u: { return select(v * alpha, v, v >= vec4f(0)); }
    case 5u: { return select(vec4f(0), v, v > vec4f(alpha)); }
    case 6u: { return alpha * tanhOf(v * beta); }
    case 7u: { return clamp(v * alpha + beta, vec4f(0), vec4f(1)); }
    case 8u: { return select(alpha * (expOf(v) - 1.0), v, v >= vec4f(0)); }
    case 9u: { return v / (1.0 + abs(v)); }
    default: { return softplus(v); }
  }
}

fn cut(v: vec4f) -> vec4f { return clamp(v, vec4f(-params.clip), vec4f(params.clip)); }

fn gateF(v: vec4f) -> vec4f {
  if (ANY == 0u) { return sigmoid(cut(v)); }
  return activate(params.f, cut(v), params.fAlpha, params.fBeta);
}

fn gateG(v: vec4f) -> vec4f {
  if (ANY == 0u) { return tanhOf(cut(v)); }
  return activate(params.g, cut(v), params.gAlpha, params.gBeta);
}

fn cellH(v: vec4f) -> vec4f {
  if (ANY == 0u) { return tanhOf(v); }
  return activate(params.h, v, params.hAlpha, params.hBeta);
}

/// `v` with 0 in the lanes of word `w` that are past H.
fn masked(v: vec4f, w: u32) -> vec4f {
  let lanes = vec4u(0u, 1u, 2u, 3u) + w * 4u;
  return select(vec4f(0), v, lanes < vec4u(params.units));
}

/// Place in time of step `s` of a sequence of `length` steps.
fn timeOf(s: u32, length: u32, direction: u32) -> u32 {
  let backwards = ((params.reverse >> direction) & 1u) == 1u && s < length;
  return select(s, length - 1u - s, backwards);
}
