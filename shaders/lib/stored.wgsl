// lib/stored.wgsl: the format of activations and weights in storage: f32, or f16 if the plan says so. All arithmetic is
// in f32: a kernel converts what it reads to vec4f and what it writes to Stored. For f16, the device compiles the same
// text with `enable f16;` and these two aliases changed (src/device.ts).
alias Stored = vec4f;
alias StoredValue = f32;
