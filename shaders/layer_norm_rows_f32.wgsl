// use lib/grid.wgsl
// use lib/layer_norm.wgsl
//
// out = (x − mean) / √(variance + epsilon) · scale + bias: an invocation owns a row. On software adapters, where
// invocations of a workgroup run one after another and a barrier costs more than a row.

override WORKGROUP: u32 = 64;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = flatIndex(id, groups, WORKGROUP);
  if (index >= params.count) { return; }
  let base = index * params.words;
  var sum = vec4f(0);
  for (var i = 0u; i < params.words; i++) { sum += realLanes(x[base + i], i); }
  let first = lanesSum(sum) * params.share;
  sum = vec4f(0);
  var squares = vec4f(0);
  for (var i = 0u; i < params.words; i++) {
    let d = realLanes(x[base + i] - first, i);
    sum += d;
    squares += d * d;
  }
  let row = momentsOf(first, lanesSum(sum), lanesSum(squares));
  var low = vec4f(0);
  var high = vec4f(0);
  for (var i = 0u; i < params.words; i++) {
    let y = store(base, i, row);
    low = min(low, y);
    high = max(high, y);
  }
  if (RANGE) { outRange[index] = rangeOf(low, high); }
}
