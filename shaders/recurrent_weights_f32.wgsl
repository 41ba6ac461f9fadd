// use lib/grid.wgsl
//
// R that a run learns, as lstm_f32.wgsl and gru_f32.wgsl read it: matrices of four inputs by four outputs,
// (D, words in, G, words out), column = input lane; then, (D, words), the recurrent bias that a GRU keeps.
//
// Lanes past H hold 0. An invocation owns a column.

override WORKGROUP: u32 = 64;

struct Params {
  count: u32,      // columns
  extras: u32,     // matrices before the bias
  gates: u32,
  units: u32,      // H
  words: u32,      // of H
  biasStride: u32, // elements of a direction's biases
  keeps: u32,      // 1: the last gate's recurrent bias is kept
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;           // (D · G · H, 4 · words): R
@group(0) @binding(2) var<storage, read> bias: array<f32>;        // (D, biasStride)
@group(0) @binding(3) var<storage, read_write> out: array<vec4f>; // (count)

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = flatIndex(id, groups, WORKGROUP);
  if (index >= params.count) { return; }
  let matrix = index / 4u;
  let column = index % 4u;
  let isWeight = matrix < params.extras;
  let units = params.units;
  let row = select(matrix - params.extras, matrix, isWeight);
  let word = row % params.words;
  var rest = row / params.words;
  let gate = select(params.gates - 1u, rest % params.gates, isWeight);
  if (isWeight) { rest = rest / params.gates; }
  let input = (rest % params.words) * 4u + column;
  let direction = select(rest, rest / params.words, isWeight);
  var values = vec4f(0);
  for (var lane = 0u; lane < 4u; lane++) {
    let unit = word * 4u + lane;
    if (unit >= units) { continue; }
    if (isWeight) {
      if (input < units) {
        values[lane] = x[((direction * params.gates + gate) * units + unit) * params.words * 4u + input];
      }
    } else if (column == 0u && params.keeps == 1u) {
      values[lane] = bias[direction * params.biasStride + (params.gates + gate) * units + unit];
    }
  }
  out[index] = values;
}
