// use lib/grid.wgsl
// use lib/window.wgsl
// use lib/bounds_f32.wgsl
// use lib/bounded.wgsl
// use lib/conv_quad_f32.wgsl
// use lib/unseen.wgsl
// tile QUARTER = 4
// tile WORDS = 1
// tile FOUR = 4
// tile STEPS = 1
//
// out = clamp(bias + Σ x · filter, low, high): lib/conv_quad_f32.wgsl, whose results nobody observes.

enable subgroups;
