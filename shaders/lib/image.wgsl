// lib/image.wgsl: where the vec4s of an image [B, H, W, C] lie. A place is (image, row, column, vec4 of channels).
fn place_at(index: u32, size: vec2u, channels: u32) -> vec4u {
  let pixel = index / channels;
  let row = pixel / size.y;
  return vec4u(row / size.x, row % size.x, pixel % size.y, index % channels);
}

fn index_at(place: vec4u, size: vec2u, channels: u32) -> u32 {
  return ((place.x * size.x + place.y) * size.y + place.z) * channels + place.w;
}
