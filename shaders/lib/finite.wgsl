// lib/finite.wgsl: whether a number is neither NaN nor infinite. Compilers may assume that there are no NaNs and fold
// x != x to false, so this checks the bits.
fn is_finite(value: f32) -> bool {
  return (bitcast<u32>(value) & 0x7fffffffu) < 0x7f800000u;
}

fn not_finite4(value: vec4f) -> vec4<bool> {
  return (bitcast<vec4u>(value) & vec4u(0x7fffffffu)) >= vec4u(0x7f800000u);
}
