// use lib/grid.wgsl
// use lib/update.wgsl
//
// g = factor · gradient + weightDecay · parameter                              docs/quantization.md (80)
// velocity ← g at the first update, momentum · velocity + (1 − dampening) · g after it
// parameter ← parameter − learningRate · (velocity, or with NESTEROV g + momentum · velocity)
//
// In place, where the step says so. Without MOMENTUM there is no velocity, and g takes its place. All tensors
// have one layout; padding stays as it was, so that it can never grow. An invocation owns one word.

override WORKGROUP: u32 = 64;
override MOMENTUM: bool = false;
override NESTEROV: bool = false;
override ACCUMULATED: bool = false; // the gradient is a sum that starts afresh

struct Params {
  count: u32, // words
  words: u32, // words of the last axis
  last: u32,  // its elements, padding excluded
  rate: f32,  // the parameter's learning rate, in parts of the step's
  weightDecay: f32,
  momentum: f32,
  damped: f32, // 1 − dampening
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> hyper: array<vec4f>;             // (2)
@group(0) @binding(2) var<storage, read> factor: array<vec4f>;            // (1), lane 0
@group(0) @binding(3) var<storage, read_write> summed: array<vec4f>;      // (count): the gradient
@group(0) @binding(4) var<storage, read_write> velocity: array<vec4f>;    // (count)
@group(0) @binding(5) var<storage, read_write> parameter: array<vec4f>;   // (count)

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = flatIndex(id, groups, WORKGROUP);
  if (index >= params.count || !applies()) { return; }
  let real = realLanes(index, params.words, params.last);
  let old = parameter[index];
  let g = summed[index] * factor[0].x + params.weightDecay * old;
  var step = g;
  if (MOMENTUM) {
    let kept = velocity[index];
    let v = select(params.momentum * kept + params.damped * g, g, isFirst());
    velocity[index] = select(kept, v, real);
    step = v;
    if (NESTEROV) { step = g + params.momentum * v; }
  }
  parameter[index] = select(old, old - learningRate(params.rate) * step, real);
  if (ACCUMULATED) { summed[index] = vec4f(0.0); }
}
