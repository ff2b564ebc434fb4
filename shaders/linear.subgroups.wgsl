// linear.subgroups.wgsl: y = act(x W + b), and the gradients with respect to x, W and b.
//   x [B, I]   W [I, O]   b [O]   y [B, O]      row-major, f32; I and O padded to 4 with zeros
//   dx, dW, db, dy have the shapes of x, W, b, y; dy is the gradient before the activation
// Schedule `subgroups`: as `direct`, with tiles of 16x8, 16x16 or 16x20, whichever the columns fill best, and the four
// lanes of a quad lie side by side along the columns: they need the same rows of the left operand, so each loads one
// row of every four and the others get it by quadBroadcast. Loads are what costs on a software adapter; the widest tile
// takes 24 of them per 1280 products, the direct schedule 80. A variable that is written in the loop costs there too,
// each float of it some 17 instructions under the mask of its lanes: all but the sums is `let`.
enable subgroups;
// Every loop's bounds are the same for all lanes of a workgroup, and no lane returns early.
diagnostic(off, subgroup_uniformity);
#import lib/linear_gradients

override WORKGROUP_SIZE: u32 = 16u;
// vec4 columns of a tile: 2, 4 or 5.
override COLUMNS: u32 = 2u;

// The place of a quad's tile among those that lie `across` a result of `columns` vec4, and this lane's first column.
struct Place {
  index: u32,
  column: u32,
}

fn place_of(tile: u32, columns: u32) -> Place {
  let across = (columns + 4u * COLUMNS - 1u) / (4u * COLUMNS);
  return Place(tile / 4u / across, (tile / 4u % across * 4u + (tile & 3u)) * COLUMNS);
}

// Four rows from the four lanes of the quad, as the columns of a matrix.
fn quad_rows(mine: vec4f) -> mat4x4f {
  return mat4x4f(quadBroadcast(mine, 0u), quadBroadcast(mine, 1u), quadBroadcast(mine, 2u), quadBroadcast(mine, 3u));
}

fn W_rows(row: u32, column: u32) -> mat4x4f {
  let at = row * shape.outputs + column;
  return mat4x4f(vec4f(W[at]), vec4f(W[at + shape.outputs]),
                 vec4f(W[at + 2u * shape.outputs]), vec4f(W[at + 3u * shape.outputs]));
}

fn dy_rows(at: vec4u) -> mat4x4f {
  return mat4x4f(vec4f(dy[at.x]), vec4f(dy[at.y]), vec4f(dy[at.z]), vec4f(dy[at.w]));
}

// y = act(x W + b); one invocation per tile of y, four side by side a quad.
@compute @workgroup_size(WORKGROUP_SIZE)
fn linear(@builtin(global_invocation_id) id: vec3u) {
  let place = place_of(id.x, shape.outputs);
  let row = place.index * 16u;
  let c = min(vec4u(0u, 1u, 2u, 3u) + place.column, vec4u(shape.outputs - 1u));
  let last = min(4u + place.column, shape.outputs - 1u);
  let r = min(vec4u(0u, 4u, 8u, 12u) + row + (id.x & 3u), vec4u(shape.rows - 1u)) * shape.inputs;
  var t00 = mat4x4f(); var t10 = mat4x4f(); var t20 = mat4x4f(); var t30 = mat4x4f();
  var t01 = mat4x4f(); var t11 = mat4x4f(); var t21 = mat4x4f(); var t31 = mat4x4f();
  var t02 = mat4x4f(); var t12 = mat4x4f(); var t22 = mat4x4f(); var t32 = mat4x4f();
  var t03 = mat4x4f(); var t13 = mat4x4f(); var t23 = mat4x4f(); var t33 = mat4x4f();
  var t04 = mat4x4f(); var t14 = mat4x4f(); var t24 = mat4x4f(); var t34 = mat4x4f();
  for (var k = 0u; k < shape.inputs; k++) {
    let a0 = quad_rows(vec4f(x[r.x + k]));
    let a1 = quad_rows(vec4f(x[r.y + k]));
    let a2 = quad_rows(vec4f(x[r.z + k]));
    let a3 = quad_rows(vec4f(x[r.w + k]));
    let b0 = W_rows(4u * k, c.x);
    let b1 = W_rows(4u * k, c.y);
    t00 += b0 * a0; t10 += b0 * a1; t20 += b0 * a2; t30 += b0 * a3;
    t01 += b1 * a0; t11 += b1 * a1; t21 += b1 * a2; t31 += b1 * a3;
    if (COLUMNS > 2u) {
      let b2 = W_rows(4u * k, c.z);
      let b3 = W_rows(4u * k, c.w);
      t02 += b2 * a0; t12 += b2 * a1; t22 += b2 * a2; t32 += b2 * a3;
      t03 += b3 * a0; t13 += b3 * a1; t23 += b3 * a2; t33 += b3 * a3;
    }
    if (COLUMNS > 4u) {
      let b4 = W_rows(4u * k, last);
      t04 += b4 * a0; t14 += b4 * a1; t24 += b4 * a2; t34 += b4 * a3;
    }
  }
  // A copy: an index that varies puts what it indexes in memory, and the sums must stay in registers.
  var tiles = array<mat4x4f, 20>(
    t00, t10, t20, t30,
    t01, t11, t21, t31,
    t02, t12, t22, t32,
    t03, t13, t23, t33,
    t04, t14, t24, t34);
  for (var i = 0u; i < 16u * COLUMNS; i++) {
    store_y(row + i % 16u, place.column + i / 16u, tiles[i / 4u][i % 4u]);
  }
}

// One invocation per tile of dx.
fn input_gradient_tiles(group: u32, invocation: u32) {
  let tile = group * WORKGROUP_SIZE + invocation;
  let place = place_of(tile, shape.inputs);
  let row = place.index * 16u;
  let c = 4u * min(vec4u(0u, 1u, 2u, 3u) + place.column, vec4u(shape.inputs - 1u));
  let last = 4u * min(4u + place.column, shape.inputs - 1u);
  let r = min(vec4u(0u, 4u, 8u, 12u) + row + (tile & 3u), vec4u(shape.rows - 1u)) * shape.outputs;
  var t00 = mat4x4f(); var t10 = mat4x4f(); var t20 = mat4x4f(); var t30 = mat4x4f();
  var t01 = mat4x4f(); var t11 = mat4x4f(); var t21 = mat4x4f(); var t31 = mat4x4f();
  var t02 = mat4x4f(); var t12 = mat4x4f(); var t22 = mat4x4f(); var t32 = mat4x4f();
  var t03 = mat4x4f(); var t13 = mat4x4f(); var t23 = mat4x4f(); var t33 = mat4x4f();
  var t04 = mat4x4f(); var t14 = mat4x4f(); var t24 = mat4x4f(); var t34 = mat4x4f();
  for (var k = 0u; k < shape.outputs; k++) {
    let a0 = quad_rows(vec4f(dy[r.x + k]));
    let a1 = quad_rows(vec4f(dy[r.y + k]));
    let a2 = quad_rows(vec4f(dy[r.z + k]));
    let a3 = quad_rows(vec4f(dy[r.w + k]));
    let b0 = transpose(W_rows(c.x, k));
    let b1 = transpose(W_rows(c.y, k));
    t00 += b0 * a0; t10 += b0 * a1; t20 += b0 * a2; t30 += b0 * a3;
    t01 += b1 * a0; t11 += b1 * a1; t21 += b1 * a2; t31 += b1 * a3;
    if (COLUMNS > 2u) {
      let b2 = transpose(W_rows(c.z, k));
      let b3 = transpose(W_rows(c.w, k));
      t02 += b2 * a0; t12 += b2 * a1; t22 += b2 * a2; t32 += b2 * a3;
      t03 += b3 * a0; t13 += b3 * a1; t23 += b3 * a2; t33 += b3 * a3;
    }
    if (COLUMNS > 4u) {
      let b4 = transpose(W_rows(last, k));
      t04 += b4 * a0; t14 += b4 * a1; t24 += b4 * a2; t34 += b4 * a3;
    }
  }
  var tiles = array<mat4x4f, 20>(
    t00, t10, t20, t30,
    t01, t11, t21, t31,
    t02, t12, t22, t32,
    t03, t13, t23, t33,
    t04, t14, t24, t34);
  for (var i = 0u; i < 16u * COLUMNS; i++) {
    store_dx(row + i % 16u, place.column + i / 16u, tiles[i / 4u][i % 4u]);
  }
}

// One invocation per tile of a part of dW.
fn weight_gradient_tiles(group: u32, invocation: u32) {
  let tile = group * WORKGROUP_SIZE + invocation;
  let lane = tile & 3u;
  let place = place_of(tile, shape.outputs);
  let down = (shape.inputs + 3u) / 4u;
  let part = place.index / down;
  let input = place.index % down * 4u;
  let i = min(vec4u(0u, 1u, 2u, 3u) + input, vec4u(shape.inputs - 1u));
  let c = min(vec4u(0u, 1u, 2u, 3u) + place.column, vec4u(shape.outputs - 1u));
  let last = min(4u + place.column, shape.outputs - 1u);
  let first = part * shape.part_rows;
  let end = min(first + shape.part_rows, shape.rows);
  var t00 = mat4x4f(); var t10 = mat4x4f(); var t20 = mat4x4f(); var t30 = mat4x4f();
  var t01 = mat4x4f(); var t11 = mat4x4f(); var t21 = mat4x4f(); var t31 = mat4x4f();
  var t02 = mat4x4f(); var t12 = mat4x4f(); var t22 = mat4x4f(); var t32 = mat4x4f();
  var t03 = mat4x4f(); var t13 = mat4x4f(); var t23 = mat4x4f(); var t33 = mat4x4f();
  var t04 = mat4x4f(); var t14 = mat4x4f(); var t24 = mat4x4f(); var t34 = mat4x4f();
  // A row past the end counts for nothing: its x is zero, and dy is read where there is some.
  for (var row = first; row < end; row += 4u) {
    let at = min(vec4u(0u, 1u, 2u, 3u) + row, vec4u(shape.rows - 1u)) * shape.outputs;
    let own = min(row + lane, shape.rows - 1u) * shape.inputs + i;
    let exists = row + lane < end;
    let a0 = transpose(quad_rows(select(vec4f(0.0), vec4f(x[own.x]), exists)));
    let a1 = transpose(quad_rows(select(vec4f(0.0), vec4f(x[own.y]), exists)));
    let a2 = transpose(quad_rows(select(vec4f(0.0), vec4f(x[own.z]), exists)));
    let a3 = transpose(quad_rows(select(vec4f(0.0), vec4f(x[own.w]), exists)));
    let b0 = dy_rows(at + c.x);
    let b1 = dy_rows(at + c.y);
    t00 += b0 * a0; t10 += b0 * a1; t20 += b0 * a2; t30 += b0 * a3;
    t01 += b1 * a0; t11 += b1 * a1; t21 += b1 * a2; t31 += b1 * a3;
    if (COLUMNS > 2u) {
      let b2 = dy_rows(at + c.z);
      let b3 = dy_rows(at + c.w);
      t02 += b2 * a0; t12 += b2 * a1; t22 += b2 * a2; t32 += b2 * a3;
      t03 += b3 * a0; t13 += b3 * a1; t23 += b3 * a2; t33 += b3 * a3;
    }
    if (COLUMNS > 4u) {
      let b4 = dy_rows(at + last);
      t04 += b4 * a0; t14 += b4 * a1; t24 += b4 * a2; t34 += b4 * a3;
    }
  }
  if (part >= part_count()) { return; }
  var tiles = array<mat4x4f, 20>(
    t00, t10, t20, t30,
    t01, t11, t21, t31,
    t02, t12, t22, t32,
    t03, t13, t23, t33,
    t04, t14, t24, t34);
  for (var j = 0u; j < 16u * COLUMNS; j++) {
    store_dW(part, 4u * input + j % 16u, place.column + j / 16u, tiles[j / 4u][j % 4u]);
  }
}
