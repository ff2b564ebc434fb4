// Other libraries' names for the keys and types of a spec.

/** Ours, with those that begin differently, in lower case, letters and digits only. */
export const specWords: Readonly<Record<string, string>> = {
  dense: "linear",
  none: "linear identity",
  conv_transpose2d: "conv2dtranspose deconv deconv2d",
  max_pool2d: "pool",
  avg_pool2d: "averagepooling2d",
  group_norm: "layernorm layernormalization",
  residual: "add skip",
  reshape: "unflatten",
  silu: "swish",
  units: "outfeatures",
  filters: "outchannels",
  window: "poolsize kernelsize size",
  factor: "scalefactor size",
  rate: "p",
  groups: "numgroups",
  shape: "targetshape",
  variance: "sigma",
  likelihood: "loss",
};
