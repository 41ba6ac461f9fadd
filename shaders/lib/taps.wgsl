// A position in a convolution's sum, which runs over the rows and columns of the window and the input
// words of a group. One idea: it is a number of three digits, so going on is an addition with carries
// and no division. Needs `params` with the sizes of a convolution.
struct Tap {
  dy: i32, // input rows below the window's corner
  dx: i32, // input columns right of it
  i: i32,  // word of the group
}

fn tapAt(step: u32) -> Tap {
  let tap = step / params.groupWords;
  let row = tap / params.kernelWidth;
  let column = tap - row * params.kernelWidth;
  return Tap(
    i32(row * params.dilationHeight),
    i32(column * params.dilationWidth),
    i32(step - tap * params.groupWords));
}

// The position `by` steps after t. Past the last one dy runs below the window.
fn advance(t: Tap, by: Tap) -> Tap {
  let i = t.i + by.i;
  let groupWords = i32(params.groupWords);
  let carry = i >= groupWords;
  let dx = t.dx + by.dx + select(0, i32(params.dilationWidth), carry);
  let endX = i32(params.kernelWidth * params.dilationWidth);
  let wrap = dx >= endX;
  let dy = t.dy + by.dy + select(0, i32(params.dilationHeight), wrap);
  return Tap(dy, select(dx, dx - endX, wrap), select(i, i - groupWords, carry));
}

// Words from the window's corner to t.
fn wordsTo(t: Tap) -> i32 {
  return (t.dy * i32(params.inWidth) + t.dx) * i32(params.inWords) + t.i;
}
