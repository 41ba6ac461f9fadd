// use lib/grid.wgsl
// use lib/window.wgsl
// use lib/bounds_f32.wgsl
// use lib/bounded.wgsl
// use lib/conv_f32.wgsl
// use lib/unseen.wgsl
// tile PIXELS = 8
// tile WORDS = 2
//
// out = clamp(bias + Σ x · filter, low, high): lib/conv_f32.wgsl, whose results nobody observes.
