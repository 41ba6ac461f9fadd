// What a workgroup of lib/conv_tiled_i8.wgsl has to do: one part of the sum of one tile, all tiles of the first part
// first. Past the last part it gets a tile that is past the last one.
// Needs `params` with tiles, parts and share.
fn shareOf(index: u32) -> Share {
  let part = index / params.tiles;
  let tile = select(params.tiles, index - part * params.tiles, part < params.parts);
  return Share(tile, part * params.share, params.share, part);
}
