// kept_row: a row of 256 to 1024 values in the registers of 8 lanes, so that it is read once.
//
// needs     x: array<Octet>, QUARTERS
// calls     octet

// Four octets of a lane, 8 octets from one to the next: a quarter of 1024 values.
struct Quarter { a: mat2x4f, b: mat2x4f, c: mat2x4f, d: mat2x4f }

// Written out: Mesa's CPU driver would keep an array that a loop indexes in memory, and reach it lane by lane.
struct Row { first: Quarter, second: Quarter, third: Quarter, fourth: Quarter }

fn readQuarter(at: u32) -> Quarter {
  return Quarter(fromOctet(x[at]), fromOctet(x[at + 8u]), fromOctet(x[at + 16u]), fromOctet(x[at + 24u]));
}

fn readRow(at: u32) -> Row {
  var row: Row;
  row.first = readQuarter(at);
  if (QUARTERS > 1u) { row.second = readQuarter(at + 32u); }
  if (QUARTERS > 2u) { row.third = readQuarter(at + 64u); }
  if (QUARTERS > 3u) { row.fourth = readQuarter(at + 96u); }
  return row;
}
