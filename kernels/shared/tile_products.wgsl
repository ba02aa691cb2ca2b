// tile_products: a b for a square of 4 SIDE outputs a side, by 256 threads, operands staged in workgroup memory. Each
// makes 4 x 4 outputs: of the whole product, or, where SIDE is 8, of a quarter of its steps.
//
// needs     aSteps, bColumns: four steps of four rows of a, and of four columns of b

const THREADS = 256u;
override SIDE: u32 = 16u; // or 8
override LINES: u32 = 4u * SIDE; // rows, or columns, of a tile
override FOURS: u32 = 128u / SIDE; // fours of steps that a tile holds
override SLICES: u32 = 256u / (SIDE * SIDE); // parts of a tile's steps, each for SIDE * SIDE threads

// The tile of a, then that of b: 16 KiB, all that WebGPU promises.
const TILE = 512u;
var<workgroup> tiles: array<vec4f, 1024>;

// Where a four of a line is: the fours of eight neighbour lines lie in different banks.
fn place(line: u32, four: u32) -> u32 { return line * FOURS + (four ^ (line & 7u)); }

// Four steps of four lines, which a thread stages: the first half of the threads rows of a, the others columns of b.
fn load(row: u32, col: u32, k: u32, thread: u32) -> mat4x4f {
  let block = thread % 128u;
  let line = block / FOURS * 4u;
  let step = k + 4u * (block % FOURS);
  if (thread < 128u) { return aSteps(row + line, step); }
  return bColumns(col + line, step);
}

fn stage(staged: mat4x4f, thread: u32) {
  let block = thread % 128u;
  let line = block / FOURS * 4u;
  let four = block % FOURS;
  let tile = thread / 128u * TILE;
  tiles[tile + place(line, four)] = staged[0];
  tiles[tile + place(line + 1u, four)] = staged[1];
  tiles[tile + place(line + 2u, four)] = staged[2];
  tiles[tile + place(line + 3u, four)] = staged[3];
}

// A sum for each of four columns with four steps more; w has a step a matrix column.
fn add(sums: vec4f, x: vec4f, w: mat4x4f) -> vec4f {
  return fma(vec4f(x.w), w[3], fma(vec4f(x.z), w[2], fma(vec4f(x.y), w[1], fma(vec4f(x.x), w[0], sums))));
}

// Lines i, i + SIDE, i + 2 SIDE and i + 3 SIDE of a with the same of b; they lie 128 fours apart.
fn addFour(sums: mat4x4f, i: u32, j: u32, four: u32) -> mat4x4f {
  let x = place(i, four);
  let y = TILE + place(j, four);
  let w = transpose(mat4x4f(tiles[y], tiles[y + 128u], tiles[y + 256u], tiles[y + 384u]));
  return mat4x4f(add(sums[0], tiles[x], w), add(sums[1], tiles[x + 128u], w), add(sums[2], tiles[x + 256u], w),
                 add(sums[3], tiles[x + 384u], w));
}

// What the four slices have of one row of a thread's outputs, slice 0 of its first row and so on; the tiles are free
// before and after.
fn joinSlices(sums: mat4x4f, thread: u32) -> vec4f {
  let at = thread / 64u * 256u + thread % 64u;
  tiles[at] = sums[0];
  tiles[at + 64u] = sums[1];
  tiles[at + 128u] = sums[2];
  tiles[at + 192u] = sums[3];
  workgroupBarrier();
  let joined = tiles[thread] + tiles[thread + 256u] + tiles[thread + 512u] + tiles[thread + 768u];
  workgroupBarrier();
  return joined;
}

// Row and column of a thread in its square: 32 neighbours, which a GPU runs as one, are 4 by 8, as so they read least.
fn threadRow(thread: u32) -> u32 { return thread % (SIDE * SIDE) / (4u * SIDE) * 4u + thread % 32u / 8u; }

fn threadCol(thread: u32) -> u32 { return thread / 32u % (SIDE / 8u) * 8u + thread % 8u; }

// Row of a tile whose sums are the first that `tileSums` gives a thread.
fn firstLine(thread: u32) -> u32 { return threadRow(thread) + thread / (SIDE * SIDE) * SIDE; }

// The columns of a tile whose sums a thread gets.
fn tileCols(thread: u32) -> vec4u { return vec4u(0u, SIDE, 2u * SIDE, 3u * SIDE) + threadCol(thread); }

// Steps first to end - 1 of the product of the tile at row and col, by all threads of the workgroup. Column m of the
// result is row firstLine + SIDE m of the tile, at columns tileCols; where there are slices, only m = 0 counts. What
// comes next is loaded while products are added. Those are written out, as an index that a loop changes may keep a
// compiler from holding sums in registers.
fn tileSums(row: u32, col: u32, first: u32, end: u32, thread: u32) -> mat4x4f {
  let i = threadRow(thread);
  let j = threadCol(thread);
  let four = thread / (SIDE * SIDE) * 4u;
  var sums = mat4x4f();
  var next = load(row, col, first, thread);
  for (var k = first; k < end; k += 4u * FOURS) {
    stage(next, thread);
    workgroupBarrier();
    next = load(row, col, k + 4u * FOURS, thread);
    sums = addFour(sums, i, j, four);
    sums = addFour(sums, i, j, four + 1u);
    sums = addFour(sums, i, j, four + 2u);
    sums = addFour(sums, i, j, four + 3u);
    if (SLICES == 1u) {
      sums = addFour(sums, i, j, 4u);
      sums = addFour(sums, i, j, 5u);
      sums = addFour(sums, i, j, 6u);
      sums = addFour(sums, i, j, 7u);
    }
    workgroupBarrier();
  }
  if (SLICES > 1u) { sums[0] = joinSlices(sums, thread); }
  return sums;
}
