// tile_products: products of two tiles in workgroup memory, 4 SIDE x 4 SIDE by SIDE x SIDE threads, 4 x 4 each.
//
// needs     aSteps, bColumns: four steps of four rows of a, and of four columns of b

override SIDE: u32 = 16u;
override LINES: u32 = 64u; // 4 SIDE: rows, or columns, of a tile

const FOURS = 8u; // fours of steps that a tile holds
const DEPTH = 4u * FOURS;
alias Line = array<vec4f, 9>; // one four more, so that those of neighbour lines spread over all banks
var<workgroup> aTile: array<Line, LINES>;
var<workgroup> bTile: array<Line, LINES>;

// Fills both tiles with steps k to k + DEPTH - 1 of their rows and columns; a thread takes four lines at a time.
fn stage(row: u32, col: u32, k: u32, thread: u32) {
  let blocks = FOURS * SIDE;
  for (var block = thread; block < 2u * blocks; block += SIDE * SIDE) {
    let four = block % FOURS;
    let line = block % blocks / FOURS * 4u;
    if (block < blocks) {
      let rows = aSteps(row + line, k + 4u * four);
      aTile[line][four] = rows[0];
      aTile[line + 1u][four] = rows[1];
      aTile[line + 2u][four] = rows[2];
      aTile[line + 3u][four] = rows[3];
    } else {
      let cols = bColumns(col + line, k + 4u * four);
      bTile[line][four] = cols[0];
      bTile[line + 1u][four] = cols[1];
      bTile[line + 2u][four] = cols[2];
      bTile[line + 3u][four] = cols[3];
    }
  }
}

// Products of row i + SIDE m and column j + SIDE n as element [m][n], over the steps of the tiles. Written out, as an
// index that a loop changes may keep a compiler from holding sums in registers.
fn tileProducts(i: u32, j: u32) -> mat4x4f {
  var sums = products(i, j, 0u);
  sums += products(i, j, 1u);
  sums += products(i, j, 2u);
  sums += products(i, j, 3u);
  sums += products(i, j, 4u);
  sums += products(i, j, 5u);
  sums += products(i, j, 6u);
  sums += products(i, j, 7u);
  return sums;
}

fn products(i: u32, j: u32, four: u32) -> mat4x4f {
  let w = mat4x4f(bTile[j][four], bTile[j + SIDE][four], bTile[j + 2u * SIDE][four], bTile[j + 3u * SIDE][four]);
  return mat4x4f(aTile[i][four] * w, aTile[i + SIDE][four] * w, aTile[i + 2u * SIDE][four] * w,
                 aTile[i + 3u * SIDE][four] * w);
}
