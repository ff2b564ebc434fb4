// lib/image.wgsl: indices of the vec4s of an image [B, H, W, C]. A place is (image, row, column, vec4 of channels).
// Computing the remainder by hand avoids a second division.
fn place_at(index: u32, size: vec2u, channels: u32) -> vec4u {
  let pixel = index / channels;
  let row = pixel / size.y;
  let image = row / size.x;
  return vec4u(image, row - image * size.x, pixel - row * size.y, index - pixel * channels);
}

fn index_at(place: vec4u, size: vec2u, channels: u32) -> u32 {
  return ((place.x * size.x + place.y) * size.y + place.z) * channels + place.w;
}
