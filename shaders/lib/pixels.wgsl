// A walk over the output pixels of a convolution, and where each one's window begins in the input. One idea: a pixel is
// a number of three digits, so going on is an addition with carries and no division. Needs `params` with the sizes,
// strides and pads of a convolution.
struct Pixel {
  image: u32,
  row: u32,
  column: u32,
}

fn pixelAt(index: u32) -> Pixel {
  let line = index / params.outWidth;
  let image = line / params.outHeight;
  return Pixel(image, line - image * params.outHeight, index - line * params.outWidth);
}

fn pixelAfter(p: Pixel, by: Pixel) -> Pixel {
  let column = p.column + by.column;
  let carry = column >= params.outWidth;
  let row = p.row + by.row + select(0u, 1u, carry);
  let wrap = row >= params.outHeight;
  return Pixel(
    p.image + by.image + select(0u, 1u, wrap),
    select(row, row - params.outHeight, wrap),
    select(column, column - params.outWidth, carry));
}

struct Corner {
  at: i32, // word of the corner's first channel; the corner itself may be outside
  top: i32,
  left: i32,
}

fn cornerOf(p: Pixel) -> Corner {
  let top = i32(p.row * params.strideHeight) - i32(params.padTop);
  let left = i32(p.column * params.strideWidth) - i32(params.padLeft);
  let first = i32(p.image * params.inHeight * params.inWidth);
  return Corner((first + top * i32(params.inWidth) + left) * i32(params.inWords), top, left);
}

fn isInside(c: Corner, dy: i32, dx: i32) -> bool {
  return u32(c.top + dy) < params.inHeight && u32(c.left + dx) < params.inWidth;
}
