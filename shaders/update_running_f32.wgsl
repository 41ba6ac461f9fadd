// use lib/grid.wgsl
//
// runningMean = (1 − momentum) · runningMean + momentum · mean, and likewise runningVariance, of
// variance · n / (n − 1)                                                           docs/quantization.md (72)
//
// Both are changed in place. An invocation owns one word of each.

override WORKGROUP: u32 = 64;

struct Params {
  words: u32, // channels / 4
  keep: f32,  // 1 − momentum
  momentum: f32,
  scaled: f32, // momentum · n / (n − 1)
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> mean: array<vec4f>;     // (words)
@group(0) @binding(2) var<storage, read> variance: array<vec4f>; // (words)
@group(0) @binding(3) var<storage, read_write> runningMean: array<vec4f>;     // (words)
@group(0) @binding(4) var<storage, read_write> runningVariance: array<vec4f>; // (words)

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let word = flatIndex(id, groups, WORKGROUP);
  if (word >= params.words) { return; }
  runningMean[word] = params.keep * runningMean[word] + params.momentum * mean[word];
  runningVariance[word] = params.keep * runningVariance[word] + params.scaled * variance[word];
}
