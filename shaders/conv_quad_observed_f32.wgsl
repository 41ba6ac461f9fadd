enable subgroups;
// use lib/grid.wgsl
// use lib/window.wgsl
// use lib/conv_quad_f32.wgsl
// use lib/ordered.wgsl
// use lib/seen.wgsl
// tile QUARTER = 4
// tile WORDS = 1
// tile FOUR = 4
//
// lib/conv_quad_f32.wgsl, observed: the least and the greatest of its results go into a slot.

@group(0) @binding(6) var<storage, read_write> slot: array<atomic<u32>>; // plan/lower/observe.ts
