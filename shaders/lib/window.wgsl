// Where the taps of a convolution's window lie in the input: the window's corner for an output pixel, and
// whether a tap is inside the picture. Needs `params` with the sizes, strides and pads of a convolution.
struct Corner {
  at: i32, // word of the corner's first channel; the corner itself may be outside
  top: i32,
  left: i32,
}

fn corner(pixel: u32) -> Corner {
  let p = min(pixel, params.pixels - 1u);
  let row = p / params.outWidth;
  let column = p - row * params.outWidth;
  let image = row / params.outHeight;
  let y = row - image * params.outHeight;
  let top = i32(y * params.strideHeight) - i32(params.padTop);
  let left = i32(column * params.strideWidth) - i32(params.padLeft);
  let first = i32(image * params.inHeight * params.inWidth);
  return Corner((first + top * i32(params.inWidth) + left) * i32(params.inWords), top, left);
}

fn isInside(c: Corner, dy: i32, dx: i32) -> bool {
  return u32(c.top + dy) < params.inHeight && u32(c.left + dx) < params.inWidth;
}
