// lib/random.wgsl: Philox4x32-10 (Salmon et al. 2011) and what is drawn from it. Counter-based: a number depends on
// its place (element, step, stream, sample) and the seed, never on which invocation made it.
const STREAM_SHUFFLE = 3u;
const STREAM_BINARISE = 4u;
const STREAM_OBSERVATION = 8u;
const STREAM_DROPOUT = 9u;
const STREAM_COMPONENT = 10u;
const PI = 3.14159265358979;

// Which of the graph's nodes of one stream draws: the numbers of each are its own.
override SITE: u32 = 0u;

// The third word of a counter.
fn at_site(stream: u32) -> u32 {
  return stream | (SITE << 8u);
}

// High 32 bits of a 32 x 32 bit product, by 16-bit halves.
fn multiply_high(p: u32, q: u32) -> u32 {
  let p0 = p & 0xffffu;
  let p1 = p >> 16u;
  let q0 = q & 0xffffu;
  let q1 = q >> 16u;
  let middle = p1 * q0 + ((p0 * q0) >> 16u);
  let carry = p0 * q1 + (middle & 0xffffu);
  return p1 * q1 + (middle >> 16u) + (carry >> 16u);
}

fn philox4x32(counter: vec4u, seed: vec2u) -> vec4u {
  var c = counter;
  var key = seed;
  for (var round = 0u; round < 10u; round++) {
    c = vec4u(multiply_high(0xcd9e8d57u, c.z) ^ c.y ^ key.x, 0xcd9e8d57u * c.z,
              multiply_high(0xd2511f53u, c.x) ^ c.w ^ key.y, 0xd2511f53u * c.x);
    key += vec2u(0x9e3779b9u, 0xbb67ae85u);
  }
  return c;
}

// In (0, 1], on a grid of 2^-24: above 2^23 f32 has no halves, and rounds them to even numbers up to 2^24 itself.
fn uniform4(words: vec4u) -> vec4f {
  return (vec4f(words >> vec4u(8u)) + 0.5) * 0x1p-24;
}

// Four standard normals by Box and Muller (1958). The angle lies in [-pi, pi], where sin and cos are accurate.
fn normal4(words: vec4u) -> vec4f {
  let u = uniform4(words);
  let radius = sqrt(max(-2.0 * log(u.xz), vec2f(0.0)));
  let angle = 2.0 * PI * u.yw - PI;
  return vec4f(radius.x * cos(angle.x), radius.x * sin(angle.x), radius.y * cos(angle.y), radius.y * sin(angle.y));
}
