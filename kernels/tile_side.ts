/**
 * Side of the square of threads that make a tile's outputs, 4 x 4 each: 16, or 8 where four such squares share the steps
 * of a smaller tile.
 */
export type TileSide = 8 | 16;

/**
 * Large tiles below which small ones are taken: each of a GPU's cores, often more than a hundred, is to have one. On one
 * of 132 cores, 64 x 4096 outputs of 4096 terms take 105 us in small tiles and 210 in large ones, 128 x 4096 234 and 209.
 */
const MANY_TILES = 128;

/** What an output costs in a small tile of many, next to one in a large tile: 128 x 49152 outputs take 311 us and 272. */
const SMALL_COST = 1.15;

/**
 * The side that suits a number of outputs.
 *
 * @param rows Rows of outputs; those that the last tile has too many cost as much.
 * @param columnTiles Large tiles side by side.
 */
export function tileSide(rows: number, columnTiles: number): TileSide {
  const [small, large] = [Math.ceil(rows / 32), Math.ceil(rows / 64)];
  return large * columnTiles < MANY_TILES || SMALL_COST * 32 * small < 64 * large ? 8 : 16;
}
