// The files beside webvae.js that the library loads when it needs them. What they export is its own affair.
declare module "webvae/files";
declare module "webvae/layers";
