/**
 * Twin of `rotary` for one head in float64, turning pairs of columns as complex numbers.
 *
 * @param x Columns of the head, [dHead].
 * @param cosSin Cosine and sine of each pair's angle, [dims / 2, 2].
 */
export function rotateHead(
  x: ArrayLike<number>,
  cosSin: ArrayLike<number>,
  style: "pairs" | "halves",
  inverse: boolean,
): Float64Array {
  const out = Float64Array.from(x);
  const pairs = cosSin.length / 2;
  for (let pair = 0; pair < pairs; pair++) {
    const [re, im] = style === "pairs" ? [2 * pair, 2 * pair + 1] : [pair, pair + pairs];
    const cos = cosSin[2 * pair]!;
    const sin = inverse ? -cosSin[2 * pair + 1]! : cosSin[2 * pair + 1]!;
    out[re] = x[re]! * cos - x[im]! * sin;
    out[im] = x[re]! * sin + x[im]! * cos;
  }
  return out;
}
