// use lib/grid.wgsl
// use lib/bounds_f32.wgsl
// use lib/bounded.wgsl
// use lib/depthwise_tile_f32.wgsl
// use lib/ordered.wgsl
// use lib/seen.wgsl
// tile ROWS = 2
// tile COLUMNS = 4
// tile KERNEL_HEIGHT = 3
// tile KERNEL_WIDTH = 3
// tile STRIDE_HEIGHT = 1
// tile STRIDE_WIDTH = 1
// tile PATCH_HEIGHT = 4
// tile PATCH_WIDTH = 6
//
// out = clamp(bias + Σ x · filter, low, high), slot ← least and greatest of them:
// lib/depthwise_tile_f32.wgsl, observed.

@group(0) @binding(5) var<storage, read_write> slot: array<atomic<u32>>; // plan/lower/observe.ts
