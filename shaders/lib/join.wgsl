// The parts of integer sums that conv_tiled_parts_i8.wgsl leaves, as one. An invocation owns one word of out.
//
// Needs lib/grid.wgsl, a lib/store_*.wgsl, `params` with count, parts and outWords, and the binding `parts`.

override WORKGROUP: u32 = 64;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = flatIndex(id, groups, WORKGROUP);
  if (index >= params.count) { return; }
  let pixel = index / params.outWords;
  let word = index - pixel * params.outWords;
  var acc = vec4i();
  for (var part = 0u; part < params.parts; part++) { acc += parts[part * params.count + index]; }
  store(pixel, word, acc, columnOf(word));
}
