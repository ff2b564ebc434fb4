// Fetches the files that the library loads on demand while there is a network: an hour later the server may be gone,
// and a model that cannot be saved would be lost.

/**
 * Never rejects. The library later imports the same addresses, which the browser then has cached; it requests files
 * that are missing now again under another address.
 */
export async function fetchAhead(): Promise<void> {
  await Promise.allSettled([import("webvae/files"), import("webvae/layers")]);
}
