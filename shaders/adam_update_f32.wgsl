// use lib/grid.wgsl
// use lib/update.wgsl
//
// g = factor · gradient + weightDecay · parameter                              docs/quantization.md (81)
// first ← first + (1 − beta1) · (g − first);  second ← beta2 · second + (1 − beta2) · g²
// parameter ← parameter − learningRate · correction1 · first / (√second · √correction2 + epsilon)
//
// In place, where the step says so. DECOUPLED: the decay multiplies the parameter by 1 − learningRate · weightDecay
// first, and is no part of g. All tensors have one layout; padding stays as it was, so that it can never grow. An
// invocation owns one word.

override WORKGROUP: u32 = 64;
override DECOUPLED: bool = false;
override ACCUMULATED: bool = false; // the gradient is a sum that starts afresh

struct Params {
  count: u32, // words
  words: u32, // words of the last axis
  last: u32,  // its elements, padding excluded
  rate: f32,  // the parameter's learning rate, in parts of the step's
  weightDecay: f32,
  forget1: f32, // 1 − beta1
  beta2: f32,
  forget2: f32, // 1 − beta2
  epsilon: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> hyper: array<vec4f>;           // (2)
@group(0) @binding(2) var<storage, read> factor: array<vec4f>;          // (1), lane 0
@group(0) @binding(3) var<storage, read_write> summed: array<vec4f>;    // (count): the gradient
@group(0) @binding(4) var<storage, read_write> first: array<vec4f>;     // (count)
@group(0) @binding(5) var<storage, read_write> second: array<vec4f>;    // (count)
@group(0) @binding(6) var<storage, read_write> parameter: array<vec4f>; // (count)

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = flatIndex(id, groups, WORKGROUP);
  if (index >= params.count || !applies()) { return; }
  let real = realLanes(index, params.words, params.last);
  let rate = learningRate(params.rate);
  let old = parameter[index];
  var g = summed[index] * factor[0].x;
  var p = old;
  if (DECOUPLED) { p = old * (1.0 - rate * params.weightDecay); } else { g += params.weightDecay * old; }
  let m = first[index];
  let v = second[index];
  let mean = m + params.forget1 * (g - m);
  let square = params.beta2 * v + params.forget2 * g * g;
  first[index] = select(m, mean, real);
  second[index] = select(v, square, real);
  let by = corrections();
  let denominator = sqrt(square) * sqrt(by.y) + params.epsilon;
  parameter[index] = select(old, p - rate * by.x * mean / denominator, real);
  if (ACCUMULATED) { summed[index] = vec4f(0.0); }
}
