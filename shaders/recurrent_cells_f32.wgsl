// use lib/grid.wgsl
// use lib/recurrent_grad.wgsl
//
// out[t] = c before step t,   c ← σ(f) · c + σ(i) · tanh(g)
//
// The cells of an LSTM, from the arguments of its gates: no unit needs another one's. An invocation owns a word
// of the state and walks all steps; places past an element's length repeat its last cell.

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> sums: array<vec4f>;      // (time, batch, 4, words): i, o, f, g
@group(0) @binding(2) var<storage, read> cFrom: array<vec4f>;     // (batch, words)
@group(0) @binding(3) var<storage, read> lengths: array<i32>;     // (batch), or one
@group(0) @binding(4) var<storage, read_write> out: array<vec4f>; // (time, batch, words)

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let words = params.words;
  let at = flatIndex(id, groups, WORKGROUP);
  if (at >= params.batch * words) { return; }
  let b = at / words;
  let w = at - b * words;
  let length = u32(clamp(lengths[b * params.lengthStride], 0, i32(params.time)));
  var c = cFrom[at];
  for (var s = 0u; s < params.time; s++) {
    let t = timeOf(s, length);
    out[t * params.batch * words + at] = c;
    if (s < length) {
      let first = (t * params.batch + b) * 4u * words + w;
      c = sigmoid(sums[first + 2u * words]) * c + sigmoid(sums[first]) * tanhOf(sums[first + 3u * words]);
    }
  }
}
