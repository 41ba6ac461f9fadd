// use lib/grid.wgsl
//
// out[tile, step, i, word] = alpha · filter[o = 4 · (tile, word) … + 3, c = 4 · (step % inWords) + i, tap = step / inWords]
// or, where BY_OUTPUT, with i the output lane and c running through the component's four.
//
// A filter that lies as any value does, in the order that a convolution kernel reads (plan/lower/packing.ts): tiles of
// output words, each of one group, `steps` steps of the sum, input lanes, the tile's words; component = output lane. Or
// the two lanes the other way round. A group whose channels are no whole words is widened: its filter is 0 for the
// channels of other groups. What is past the last channel or tap is 0. An invocation owns a word of out.

override WORKGROUP: u32 = 64;
override BY_OUTPUT: bool = false; // component = input lane

struct Params {
  count: u32,        // words of out
  words: u32,        // output words of a tile
  groupTiles: u32,   // tiles of one group of out
  steps: u32,        // of a tile: taps · inWords, or more
  lanes: u32,        // input lanes of a step: 4, or 1 where there is one input channel
  inWords: u32,      // input words of a tap
  taps: u32,
  kernelWidth: u32,
  groupOuts: u32,    // output channels of one group of out
  outsPerGroup: u32, // output channels of one group of the filter
  perGroup: u32,     // input channels of one group of the filter
  jump: u32,         // input channels from one group of the filter to the next: perGroup where it is widened, else 0
  groupStride: i32,  // of the filter, in elements
  outStride: i32,
  inStride: i32,
  rowStride: i32,
  columnStride: i32,
  base: i32,         // element where all of these begin
  alpha: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> out: array<vec4f>; // (tiles, steps, lanes, words)

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = flatIndex(id, groups, WORKGROUP);
  if (index >= params.count) { return; }
  let row = index / params.words;
  let step = row / params.lanes;
  let tile = step / params.steps;
  let term = step - tile * params.steps;
  let tap = term / params.inWords;
  let input = (term - tap * params.inWords) * params.lanes;
  let own = row - step * params.lanes; // lane of the step
  let group = tile / params.groupTiles;
  let channel = ((tile - group * params.groupTiles) * params.words + index - row * params.words) * 4u; // of the group
  let ky = tap / params.kernelWidth;
  let kx = tap - ky * params.kernelWidth;
  let first = params.base + i32(ky) * params.rowStride + i32(kx) * params.columnStride;
  var word = vec4f();
  for (var lane = 0u; lane < 4u; lane++) {
    let outLane = channel + select(lane, own, BY_OUTPUT); // of the group
    let o = group * params.groupOuts + outLane;
    let source = o / params.outsPerGroup; // group of the filter
    let i = input + select(own, lane, BY_OUTPUT) - source * params.jump; // wraps below 0: then not < perGroup
    if (outLane < params.groupOuts && tap < params.taps && i < params.perGroup) {
      let at = first + i32(source) * params.groupStride + i32(o - source * params.outsPerGroup) * params.outStride + i32(i) * params.inStride;
      word[lane] = params.alpha * x[u32(at)];
    }
  }
  out[index] = word;
}
