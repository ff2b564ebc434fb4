// The files next to webvae.js that the library loads on demand. Their exports are internal.
declare module "webvae/files";
declare module "webvae/layers";
