// lib/tiles.wgsl: the operands of a workgroup's 32x32 tile in workgroup memory, 16 deep. One whose reduction lies along
// a row is kept by rows, one whose reduction runs down the rows by columns.
const TILE = 32u;             // rows and columns of a workgroup's tile
const VECTORS = 8u;           // vec4 across a tile
const DEPTH = 4u;             // vec4 of the reduction held at once

// By rows [32 rows][4], a vec4 free after every four rows; by columns [16 rows][8].
var<workgroup> left: array<vec4f, 136>;
var<workgroup> right: array<vec4f, 136>;

// Where vec4 i % DEPTH of row i / DEPTH is kept. Neighbouring lanes read four rows apart, which are 64 words: without
// the free vec4 eight lanes would wait for the same four of a GPU's 32 banks (test/train/bank_conflicts.test.ts).
fn by_rows(i: u32) -> u32 { return i + i / (4u * DEPTH); }

// Four rows of vec4 k, from a row that is a multiple of 4.
fn left_rows(row: u32, k: u32) -> mat4x4f {
  let at = by_rows(row * DEPTH + k);
  return mat4x4f(left[at], left[at + DEPTH], left[at + 2u * DEPTH], left[at + 3u * DEPTH]);
}

fn right_rows(row: u32, k: u32) -> mat4x4f {
  let at = by_rows(row * DEPTH + k);
  return mat4x4f(right[at], right[at + DEPTH], right[at + 2u * DEPTH], right[at + 3u * DEPTH]);
}

// A vec4 of columns in four rows, from row k.
fn left_columns(k: u32, column: u32) -> mat4x4f {
  let at = k * VECTORS + column;
  return mat4x4f(left[at], left[at + VECTORS], left[at + 2u * VECTORS], left[at + 3u * VECTORS]);
}

fn right_columns(k: u32, column: u32) -> mat4x4f {
  let at = k * VECTORS + column;
  return mat4x4f(right[at], right[at + VECTORS], right[at + 2u * VECTORS], right[at + 3u * VECTORS]);
}
