// The windows of a pool that an element of its input is in: along each axis tap t of window o reads the place
// o · stride + t · dilation − pad, so place p is tap t of window (p + pad − t · dilation) / stride, where that is a
// whole number and a window. Needs `params` with the sizes of the pool.

/** Of place `p` along an axis: the window whose tap is `reach` = t · dilation, or −1. */
fn windowOf(p: u32, pad: u32, reach: u32, stride: u32, windows: u32) -> i32 {
  let start = i32(p + pad) - i32(reach);
  let window = start / i32(stride);
  return select(-1, window, start >= 0 && window * i32(stride) == start && window < i32(windows));
}

struct Place {
  image: u32,
  row: u32,
  column: u32,
  word: u32,
}

/** Where word `index` of the input (batch, inHeight, inWidth, words) lies. */
fn placeOf(index: u32) -> Place {
  let pixel = index / params.words;
  let row = pixel / params.inWidth;
  let image = row / params.inHeight;
  return Place(image, row - image * params.inHeight, pixel - row * params.inWidth, index - pixel * params.words);
}
