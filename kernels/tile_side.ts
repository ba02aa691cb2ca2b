/**
 * Side of the square of threads that make a tile's outputs, 4 x 4 each: 16, or 8 where four such squares share the steps
 * of a smaller tile.
 */
export type TileSide = 8 | 16;

/**
 * Large blocks below which small ones are taken: each of a GPU's cores, often more than a hundred, is to have two. On one
 * of 132 cores, 512 x 512 outputs take 17 us in small blocks and 25 in large ones, 1024 x 1024 take 96 and 77.
 */
const MANY_BLOCKS = 256;

/**
 * The side that suits a number of outputs.
 *
 * @param blocks Workgroups with blocks of 64 x 64 outputs.
 */
export function tileSide(blocks: number): TileSide {
  return blocks < MANY_BLOCKS ? 8 : 16;
}
