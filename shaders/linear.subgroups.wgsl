// linear.subgroups.wgsl: y = act(x W + b), and the gradients with respect to x, W and b.
//   x [B, I]   W [I, O]   b [O]   y [B, O]      row-major, f32; I and O padded to 4 with zeros
//   dx, dW, db, dy have the shapes of x, W, b, y; dy is the gradient before the activation
// Schedule `subgroups`: as `direct`, with tiles of 16x8, or 16x16 where there are columns enough, and the four lanes
// of a quad lie side by side along the columns: they need the same rows of the left operand, so each loads one row of
// every four and the others get it by quadBroadcast. Loads are what costs on a software adapter; a wide tile takes 20
// of them per 1024 products, the direct schedule's 64.
enable subgroups;
// Every loop's bounds are the same for all lanes of a workgroup, and no lane returns early.
diagnostic(off, subgroup_uniformity);
#import lib/linear_gradients

override WORKGROUP_SIZE: u32 = 16u;
// Tiles have 16 columns, not 8.
override WIDE: bool = false;

// The place of a quad's tile among those that lie `across` a result of `columns` vec4, and this lane's first column.
struct Place {
  index: u32,
  column: u32,
}

fn place_of(tile: u32, columns: u32) -> Place {
  let own = select(2u, 4u, WIDE);
  let across = (columns + 4u * own - 1u) / (4u * own);
  return Place(tile / 4u / across, (tile / 4u % across * 4u + (tile & 3u)) * own);
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

// y = act(x W + b); one invocation per 16x8 or 16x16 tile of y, one quad per 16x32 or 16x64.
@compute @workgroup_size(WORKGROUP_SIZE)
fn linear(@builtin(global_invocation_id) id: vec3u) {
  let place = place_of(id.x, shape.outputs);
  let row = place.index * 16u;
  let c = min(vec4u(0u, 1u, 2u, 3u) + place.column, vec4u(shape.outputs - 1u));
  let r = min(vec4u(0u, 4u, 8u, 12u) + row + (id.x & 3u), vec4u(shape.rows - 1u)) * shape.inputs;
  var t00 = mat4x4f(); var t01 = mat4x4f(); var t02 = mat4x4f(); var t03 = mat4x4f();
  var t10 = mat4x4f(); var t11 = mat4x4f(); var t12 = mat4x4f(); var t13 = mat4x4f();
  var t20 = mat4x4f(); var t21 = mat4x4f(); var t22 = mat4x4f(); var t23 = mat4x4f();
  var t30 = mat4x4f(); var t31 = mat4x4f(); var t32 = mat4x4f(); var t33 = mat4x4f();
  for (var k = 0u; k < shape.inputs; k++) {
    let b0 = W_rows(4u * k, c.x);
    let b1 = W_rows(4u * k, c.y);
    var b2: mat4x4f; var b3: mat4x4f;
    if (WIDE) { b2 = W_rows(4u * k, c.z); b3 = W_rows(4u * k, c.w); }
    let a0 = quad_rows(vec4f(x[r.x + k]));
    let a1 = quad_rows(vec4f(x[r.y + k]));
    let a2 = quad_rows(vec4f(x[r.z + k]));
    let a3 = quad_rows(vec4f(x[r.w + k]));
    t00 += b0 * a0; t01 += b1 * a0;
    t10 += b0 * a1; t11 += b1 * a1;
    t20 += b0 * a2; t21 += b1 * a2;
    t30 += b0 * a3; t31 += b1 * a3;
    if (WIDE) {
      t02 += b2 * a0; t03 += b3 * a0;
      t12 += b2 * a1; t13 += b3 * a1;
      t22 += b2 * a2; t23 += b3 * a2;
      t32 += b2 * a3; t33 += b3 * a3;
    }
  }
  // A copy: an index that varies puts what it indexes in memory, and the sums must stay in registers.
  var tiles = array<mat4x4f, 16>(
    t00, t01, t02, t03, t10, t11, t12, t13,
    t20, t21, t22, t23, t30, t31, t32, t33);
  for (var i = 0u; i < select(32u, 64u, WIDE); i++) {
    store_y(row + i % 16u, place.column + i / 16u, tiles[i % 16u / 4u * 4u + i / 16u][i % 4u]);
  }
}

// One invocation per tile of dx.
fn input_gradient_tiles(group: u32, invocation: u32) {
  let tile = group * WORKGROUP_SIZE + invocation;
  let place = place_of(tile, shape.inputs);
  let row = place.index * 16u;
  let c = 4u * min(vec4u(0u, 1u, 2u, 3u) + place.column, vec4u(shape.inputs - 1u));
  let r = min(vec4u(0u, 4u, 8u, 12u) + row + (tile & 3u), vec4u(shape.rows - 1u)) * shape.outputs;
  var t00 = mat4x4f(); var t01 = mat4x4f(); var t02 = mat4x4f(); var t03 = mat4x4f();
  var t10 = mat4x4f(); var t11 = mat4x4f(); var t12 = mat4x4f(); var t13 = mat4x4f();
  var t20 = mat4x4f(); var t21 = mat4x4f(); var t22 = mat4x4f(); var t23 = mat4x4f();
  var t30 = mat4x4f(); var t31 = mat4x4f(); var t32 = mat4x4f(); var t33 = mat4x4f();
  for (var k = 0u; k < shape.outputs; k++) {
    let b0 = transpose(W_rows(c.x, k));
    let b1 = transpose(W_rows(c.y, k));
    var b2: mat4x4f; var b3: mat4x4f;
    if (WIDE) { b2 = transpose(W_rows(c.z, k)); b3 = transpose(W_rows(c.w, k)); }
    let a0 = quad_rows(vec4f(dy[r.x + k]));
    let a1 = quad_rows(vec4f(dy[r.y + k]));
    let a2 = quad_rows(vec4f(dy[r.z + k]));
    let a3 = quad_rows(vec4f(dy[r.w + k]));
    t00 += b0 * a0; t01 += b1 * a0;
    t10 += b0 * a1; t11 += b1 * a1;
    t20 += b0 * a2; t21 += b1 * a2;
    t30 += b0 * a3; t31 += b1 * a3;
    if (WIDE) {
      t02 += b2 * a0; t03 += b3 * a0;
      t12 += b2 * a1; t13 += b3 * a1;
      t22 += b2 * a2; t23 += b3 * a2;
      t32 += b2 * a3; t33 += b3 * a3;
    }
  }
  var tiles = array<mat4x4f, 16>(
    t00, t01, t02, t03, t10, t11, t12, t13,
    t20, t21, t22, t23, t30, t31, t32, t33);
  for (var i = 0u; i < select(32u, 64u, WIDE); i++) {
    store_dx(row + i % 16u, place.column + i / 16u, tiles[i % 16u / 4u * 4u + i / 16u][i % 4u]);
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
  let first = part * shape.part_rows;
  let end = min(first + shape.part_rows, shape.rows);
  var t00 = mat4x4f(); var t01 = mat4x4f(); var t02 = mat4x4f(); var t03 = mat4x4f();
  var t10 = mat4x4f(); var t11 = mat4x4f(); var t12 = mat4x4f(); var t13 = mat4x4f();
  var t20 = mat4x4f(); var t21 = mat4x4f(); var t22 = mat4x4f(); var t23 = mat4x4f();
  var t30 = mat4x4f(); var t31 = mat4x4f(); var t32 = mat4x4f(); var t33 = mat4x4f();
  // A row past the end counts for nothing: its x is zero, and dy is read where there is some.
  for (var row = first; row < end; row += 4u) {
    let at = min(vec4u(0u, 1u, 2u, 3u) + row, vec4u(shape.rows - 1u)) * shape.outputs;
    let own = min(row + lane, shape.rows - 1u) * shape.inputs + i;
    let exists = row + lane < end;
    let b0 = dy_rows(at + c.x);
    let b1 = dy_rows(at + c.y);
    var b2: mat4x4f; var b3: mat4x4f;
    if (WIDE) { b2 = dy_rows(at + c.z); b3 = dy_rows(at + c.w); }
    let a0 = transpose(quad_rows(select(vec4f(0.0), vec4f(x[own.x]), exists)));
    let a1 = transpose(quad_rows(select(vec4f(0.0), vec4f(x[own.y]), exists)));
    let a2 = transpose(quad_rows(select(vec4f(0.0), vec4f(x[own.z]), exists)));
    let a3 = transpose(quad_rows(select(vec4f(0.0), vec4f(x[own.w]), exists)));
    t00 += b0 * a0; t01 += b1 * a0;
    t10 += b0 * a1; t11 += b1 * a1;
    t20 += b0 * a2; t21 += b1 * a2;
    t30 += b0 * a3; t31 += b1 * a3;
    if (WIDE) {
      t02 += b2 * a0; t03 += b3 * a0;
      t12 += b2 * a1; t13 += b3 * a1;
      t22 += b2 * a2; t23 += b3 * a2;
      t32 += b2 * a3; t33 += b3 * a3;
    }
  }
  if (part >= part_count()) { return; }
  var tiles = array<mat4x4f, 16>(
    t00, t01, t02, t03, t10, t11, t12, t13,
    t20, t21, t22, t23, t30, t31, t32, t33);
  for (var j = 0u; j < select(32u, 64u, WIDE); j++) {
    store_dW(part, 4u * input + j % 16u, place.column + j / 16u, tiles[j % 16u / 4u * 4u + j / 16u][j % 4u]);
  }
}
