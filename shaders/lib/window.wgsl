// Where the taps of a convolution's window lie in the input: the window's corner for an output pixel,
// then each tap's word. Needs `params` with the sizes, strides and pads of a convolution.
struct Corner {
  base: u32, // first pixel of the picture
  top: i32,
  left: i32,
}

fn corner(pixel: u32) -> Corner {
  let p = min(pixel, params.pixels - 1u);
  let row = p / params.outWidth;
  let column = p - row * params.outWidth;
  let image = row / params.outHeight;
  let y = row - image * params.outHeight;
  return Corner(
    image * params.inHeight * params.inWidth,
    i32(y * params.strideHeight) - i32(params.padTop),
    i32(column * params.strideWidth) - i32(params.padLeft));
}

// Word offset of a tap's pixel, or −1 outside the picture.
fn tapOffset(c: Corner, dy: i32, dx: i32) -> i32 {
  let y = c.top + dy;
  let xx = c.left + dx;
  if (y < 0 || xx < 0 || y >= i32(params.inHeight) || xx >= i32(params.inWidth)) { return -1; }
  return i32((c.base + u32(y) * params.inWidth + u32(xx)) * params.inWords);
}
