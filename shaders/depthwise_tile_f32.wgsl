// use lib/grid.wgsl
// use lib/bounds_f32.wgsl
// use lib/bounded.wgsl
// use lib/depthwise_tile_f32.wgsl
// use lib/unseen.wgsl
// tile ROWS = 2
// tile COLUMNS = 4
// tile KERNEL_HEIGHT = 3
// tile KERNEL_WIDTH = 3
// tile STRIDE_HEIGHT = 1
// tile STRIDE_WIDTH = 1
// tile PATCH_HEIGHT = 4
// tile PATCH_WIDTH = 6
//
// out = clamp(bias + Σ x · filter, low, high): lib/depthwise_tile_f32.wgsl, whose results nobody observes.
