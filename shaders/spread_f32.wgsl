// use lib/grid.wgsl
//
// out[b, y · strideHeight + top, x · strideWidth + left, c] = x[b, y, x, c], or 0
//
// One of the interleaved pictures that ConvTranspose is made of where it strides. An invocation owns one word of x.

override WORKGROUP: u32 = 64;
override ZERO: bool = false; // write 0; x is not read

struct Params {
  count: u32,        // words of x
  words: u32,        // channels / 4
  height: u32,
  width: u32,
  outHeight: u32,
  outWidth: u32,
  strideHeight: u32,
  strideWidth: u32,
  top: u32,
  left: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;         // (batch, height, width, words)
@group(0) @binding(2) var<storage, read_write> out: array<vec4f>; // (batch, outHeight, outWidth, words)

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = flatIndex(id, groups, WORKGROUP);
  if (index >= params.count) { return; }
  let pixel = index / params.words;
  let word = index - pixel * params.words;
  let line = pixel / params.width;
  let column = pixel - line * params.width;
  let image = line / params.height;
  let row = line - image * params.height;
  let y = row * params.strideHeight + params.top;
  let at = ((image * params.outHeight + y) * params.outWidth + column * params.strideWidth + params.left) * params.words + word;
  if (ZERO) { out[at] = vec4f(); } else { out[at] = x[index]; }
}
