// use lib/grid.wgsl
// use lib/window.wgsl
// use lib/bounds_f32.wgsl
// use lib/bounded.wgsl
// use lib/conv_quad_f32.wgsl
// use lib/ordered.wgsl
// use lib/seen.wgsl
// tile QUARTER = 4
// tile WORDS = 1
// tile FOUR = 4
// tile STEPS = 1
//
// out = clamp(bias + Σ x · filter, low, high), slot ← least and greatest of them: lib/conv_quad_f32.wgsl,
// observed.

enable subgroups;
@group(0) @binding(6) var<storage, read_write> slot: array<atomic<u32>>; // plan/lower/observe.ts
