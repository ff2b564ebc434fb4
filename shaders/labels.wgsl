// labels.wgsl: label[b, c] = 1 where c is the class of row b of the batch that gather.wgsl makes, and 0 elsewhere.
//   labels [N]   label [B, C]      C padded to 4 with zeros
#import lib/step
#import lib/order
#import lib/stored
#import lib/invocation

struct Shape {
  rows: u32,       // B
  columns: u32,    // C / 4, padded
  count: u32,      // N
  half_bits: u32,  // half of the bits of the order's network
}
@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> labels: array<u32>;          // [N], below C
@group(0) @binding(2) var<storage, read_write> label: array<Stored>;  // [B, C]

override WORKGROUP_SIZE: u32 = 64u;

// One invocation per vec4 of label.
@compute @workgroup_size(WORKGROUP_SIZE)
fn gather_labels(invocation: Invocation) {
  let id = number_of(invocation);
  let row = id / shape.columns;
  if (row >= shape.rows) { return; }
  let columns = vec4u(0u, 1u, 2u, 3u) + 4u * (id % shape.columns);
  label[id] = Stored(vec4f(columns == vec4u(labels[example(row)])));
}
