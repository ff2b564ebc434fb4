// Fetches the files that the library loads on demand while the network is there: an hour later the server may be gone,
// and a model that cannot be saved is lost.

/**
 * Never rejects. The library later imports the same addresses, which the browser then has; files that are missing now
 * it requests again under another address.
 */
export async function fetchAhead(): Promise<void> {
  await Promise.allSettled([import("webvae/files"), import("webvae/layers")]);
}
