// lib/stored.wgsl: how activations and weights lie in storage: as f32, or as f16 where the plan asks for it. All
// arithmetic is in f32: a kernel turns what it reads into vec4f and what it writes into Stored. For f16 the device
// compiles the same text with `enable f16;` and these two aliases changed (src/device.ts).
alias Stored = vec4f;
alias StoredValue = f32;
