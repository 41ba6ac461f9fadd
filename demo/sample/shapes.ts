// The ten shapes of the sample pictures, as distances: negative inside, zero on the edge, positive outside.
// One idea: only + − × ÷ and Math.sqrt, which IEEE 754 rounds exactly, so every engine agrees; the
// sines and cosines that the polygons need are written down as decimals.

/** The distance from (x, y) to the edge of a shape that fits the unit circle. */
type Distance = (x: number, y: number) => number;

const length = (x: number, y: number): number => Math.sqrt(x * x + y * y);

/** The distance from (x, y) to the segment from (ax, ay) to (bx, by). */
export function segment(
  x: number,
  y: number,
  ax: number,
  ay: number,
  bx: number,
  by: number,
): number {
  const dx = bx - ax;
  const dy = by - ay;
  const t = ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy);
  const u = t < 0 ? 0 : t > 1 ? 1 : t;
  return length(x - ax - u * dx, y - ay - u * dy);
}

/** A closed polygon: the least distance to an edge, signed by how often a ray to the right crosses one. */
function polygon(corners: readonly (readonly [number, number])[]): Distance {
  const edges = corners.map(([ax, ay], i) => {
    const [bx, by] = corners[(i + 1) % corners.length] ?? [ax, ay];
    return {
      ax,
      ay,
      by,
      dx: bx - ax,
      dy: by - ay,
      square: (bx - ax) * (bx - ax) + (by - ay) * (by - ay),
    };
  });
  return (x, y) => {
    let least = Infinity; // of the squared distances
    let inside = false;
    for (const { ax, ay, by, dx, dy, square } of edges) {
      const t = ((x - ax) * dx + (y - ay) * dy) / square;
      const u = t < 0 ? 0 : t > 1 ? 1 : t;
      const h = x - ax - u * dx;
      const v = y - ay - u * dy;
      if (h * h + v * v < least) least = h * h + v * v;
      if (ay > y !== by > y && x < ax + ((y - ay) / dy) * dx) inside = !inside;
    }
    return inside ? -Math.sqrt(least) : Math.sqrt(least);
  };
}

// cos and sin of 18°, 36°, 54° and 72°, by which a pentagon and a star stand on their base.
const C18 = 0.9510565162951535;
const S18 = 0.3090169943749474;
const C36 = 0.8090169943749475;
const S36 = 0.5877852522924731;
const H = 0.8660254037844386; // √3 / 2
const INNER = 0.42; // the radius of a star's inner corners
const ARM = 0.3; // half the width of a cross's arm

const shapes = {
  disc: (x, y) => length(x, y) - 0.88,
  ring: (x, y) => Math.abs(length(x, y) - 0.7) - 0.2,
  crescent: (x, y) => Math.max(length(x, y) - 0.95, 0.78 - length(x - 0.5, y)),
  triangle: polygon([
    [0, -1],
    [H, 0.5],
    [-H, 0.5],
  ]),
  square: polygon([
    [-0.75, -0.75],
    [0.75, -0.75],
    [0.75, 0.75],
    [-0.75, 0.75],
  ]),
  pentagon: polygon([
    [0, -1],
    [C18, -S18],
    [S36, C36],
    [-S36, C36],
    [-C18, -S18],
  ]),
  hexagon: polygon([
    [1, 0],
    [0.5, H],
    [-0.5, H],
    [-1, 0],
    [-0.5, -H],
    [0.5, -H],
  ]),
  star: polygon([
    [0, -1],
    [S36 * INNER, -C36 * INNER],
    [C18, -S18],
    [C18 * INNER, S18 * INNER],
    [S36, C36],
    [0, INNER],
    [-S36, C36],
    [-C18 * INNER, S18 * INNER],
    [-C18, -S18],
    [-S36 * INNER, -C36 * INNER],
  ]),
  cross: polygon([
    [-ARM, -0.95],
    [ARM, -0.95],
    [ARM, -ARM],
    [0.95, -ARM],
    [0.95, ARM],
    [ARM, ARM],
    [ARM, 0.95],
    [-ARM, 0.95],
    [-ARM, ARM],
    [-0.95, ARM],
    [-0.95, -ARM],
    [-ARM, -ARM],
  ]),
  arrow: polygon([
    [1, 0],
    [0.05, 0.8],
    [0.05, 0.3],
    [-0.95, 0.3],
    [-0.95, -0.3],
    [0.05, -0.3],
    [0.05, -0.8],
  ]),
} as const satisfies Record<string, Distance>;

/** The classes' names; a label is an index of this list. */
export const classNames: readonly string[] = Object.keys(shapes);

/** The distance functions, one per label, in the order of `classNames`. */
export const distances: readonly Distance[] = Object.values(shapes);
