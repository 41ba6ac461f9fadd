// use lib/grid.wgsl
//
// out[d, gate, unit] = Wb + Rb, but Wb alone for the last gate where its recurrent bias is kept with R
//
// The biases of an LSTM or GRU that a run learns, as W · x takes them. Lanes past H hold 0. An invocation owns a word.

override WORKGROUP: u32 = 64;

struct Params {
  count: u32,      // words of out
  gates: u32,
  units: u32,      // H
  words: u32,      // of H
  biasStride: u32, // elements of a direction's biases
  keeps: u32,      // 1: the last gate's recurrent bias is kept
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;           // (D, biasStride): Wb, then Rb
@group(0) @binding(2) var<storage, read_write> out: array<vec4f>; // (D, G, words)

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = flatIndex(id, groups, WORKGROUP);
  if (index >= params.count) { return; }
  let word = index % params.words;
  let row = index / params.words;
  let gate = row % params.gates;
  let first = (row / params.gates) * params.biasStride + gate * params.units;
  let isKept = params.keeps == 1u && gate == params.gates - 1u;
  var values = vec4f(0);
  for (var lane = 0u; lane < 4u; lane++) {
    let unit = word * 4u + lane;
    if (unit < params.units) {
      values[lane] = x[first + unit];
      if (!isKept) { values[lane] += x[first + params.gates * params.units + unit]; }
    }
  }
  out[index] = values;
}
