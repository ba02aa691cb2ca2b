// tile_products: a b for a square of 4 SIDE outputs a side, by SIDE x SIDE threads, 4 x 4 outputs each; operands are
// staged in workgroup memory.
//
// needs     aSteps, bColumns: four steps of four rows of a, and of four columns of b

override SIDE: u32 = 16u; // or 8
override LINES: u32 = 4u * SIDE; // rows, or columns, of a tile

const FOURS = 8u; // fours of steps that a tile holds
alias Line = array<vec4f, 9>; // one four more, so that those of neighbour lines spread over all banks
var<workgroup> aTile: array<Line, LINES>;
var<workgroup> bTile: array<Line, LINES>;

// What a thread stages: four steps of four rows of a, of four columns of b, or of both.
struct Staged { rows: mat4x4f, cols: mat4x4f }

// Whether a thread stages rows, and whether it stages columns: a tile has FOURS * SIDE blocks of four by four.
fn takesRows(thread: u32) -> bool { return thread < FOURS * SIDE; }

fn takesCols(thread: u32) -> bool { return thread + FOURS * SIDE >= SIDE * SIDE; }

fn load(row: u32, col: u32, k: u32, thread: u32) -> Staged {
  let block = thread % (FOURS * SIDE);
  let line = block / FOURS * 4u;
  let step = k + 4u * (block % FOURS);
  var staged: Staged;
  if (takesRows(thread)) { staged.rows = aSteps(row + line, step); }
  if (takesCols(thread)) { staged.cols = bColumns(col + line, step); }
  return staged;
}

fn stage(staged: Staged, thread: u32) {
  let block = thread % (FOURS * SIDE);
  let line = block / FOURS * 4u;
  let four = block % FOURS;
  if (takesRows(thread)) {
    aTile[line][four] = staged.rows[0];
    aTile[line + 1u][four] = staged.rows[1];
    aTile[line + 2u][four] = staged.rows[2];
    aTile[line + 3u][four] = staged.rows[3];
  }
  if (takesCols(thread)) {
    bTile[line][four] = staged.cols[0];
    bTile[line + 1u][four] = staged.cols[1];
    bTile[line + 2u][four] = staged.cols[2];
    bTile[line + 3u][four] = staged.cols[3];
  }
}

// A sum for each of four columns with four steps more; w has a step a matrix column.
fn add(sums: vec4f, x: vec4f, w: mat4x4f) -> vec4f {
  return fma(vec4f(x.w), w[3], fma(vec4f(x.z), w[2], fma(vec4f(x.y), w[1], fma(vec4f(x.x), w[0], sums))));
}

fn addFour(sums: mat4x4f, i: u32, j: u32, four: u32) -> mat4x4f {
  let w = transpose(mat4x4f(bTile[j][four], bTile[j + SIDE][four], bTile[j + 2u * SIDE][four],
                            bTile[j + 3u * SIDE][four]));
  return mat4x4f(add(sums[0], aTile[i][four], w), add(sums[1], aTile[i + SIDE][four], w),
                 add(sums[2], aTile[i + 2u * SIDE][four], w), add(sums[3], aTile[i + 3u * SIDE][four], w));
}

// Steps first to end - 1 of the product, by all threads of the workgroup. Element [m][n] of thread i * SIDE + j is that
// of row row + i + SIDE m and column col + j + SIDE n. What comes next is loaded while products are added. Those are
// written out, as an index that a loop changes may keep a compiler from holding sums in registers.
fn tileSums(row: u32, col: u32, first: u32, end: u32, thread: u32) -> mat4x4f {
  let i = thread / SIDE;
  let j = thread % SIDE;
  var sums = mat4x4f();
  var next = load(row, col, first, thread);
  for (var k = first; k < end; k += 4u * FOURS) {
    stage(next, thread);
    workgroupBarrier();
    next = load(row, col, k + 4u * FOURS, thread);
    sums = addFour(sums, i, j, 0u);
    sums = addFour(sums, i, j, 1u);
    sums = addFour(sums, i, j, 2u);
    sums = addFour(sums, i, j, 3u);
    sums = addFour(sums, i, j, 4u);
    sums = addFour(sums, i, j, 5u);
    sums = addFour(sums, i, j, 6u);
    sums = addFour(sums, i, j, 7u);
    workgroupBarrier();
  }
  return sums;
}
