// What a workgroup of lib/conv_tiled_i8.wgsl has to do: all of the sum of one tile. Needs `params` with chunks.
fn shareOf(index: u32) -> Share {
  return Share(index, 0u, params.chunks, 0u);
}
