// What the kernels that walk LSTM and GRU back share: uniforms, the order of steps, and the product by R.
//
// H units lie in `words` words of four. A workgroup walks BATCH elements of the batch from their last step to the
// first, and an invocation owns every WORKGROUP-th word of each. parts holds, in the order of R's rows, the
// gradients by what R multiplied; lanes past H hold 0 there. The state's gradient stays in hOut, where a word
// belongs to its owner, so that a long walk may be cut into several dispatches.

override WORKGROUP: u32 = 64;

struct Params {
  first: u32,        // step that this dispatch begins with, the latest
  steps: u32,        // how many it walks
  begins: u32,       // 1: the state's gradient is that by the last state
  time: u32,
  batch: u32,
  units: u32,        // H
  words: u32,        // of H
  reverse: u32,      // 1: the last step is at the front
  lengthStride: u32, // 0: one length for all batch elements
}

fn tanhOf(v: vec4f) -> vec4f { return tanh(clamp(v, vec4f(-20), vec4f(20))); }
fn sigmoid(v: vec4f) -> vec4f { return 1.0 / (1.0 + exp(clamp(-v, vec4f(-87), vec4f(87)))); }

/// `v` with 0 in the lanes of word `w` that are past H, and everywhere where the step is not `alive`.
fn masked(v: vec4f, w: u32, alive: bool) -> vec4f {
  let lanes = vec4u(0u, 1u, 2u, 3u) + w * 4u;
  return select(vec4f(0), v, (lanes < vec4u(params.units)) & vec4<bool>(alive));
}

/// Place in time of step `s` of a sequence of `length` steps.
fn timeOf(s: u32, length: u32) -> u32 {
  return select(s, length - 1u - s, params.reverse == 1u && s < length);
}
