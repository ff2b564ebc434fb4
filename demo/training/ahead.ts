// What the library loads on demand, fetched while the network is there: an hour later the server may be gone, and a model
// that cannot be saved is lost.

/**
 * Never rejects. The library imports the same addresses, of which the browser has the files then; what is missing now it
 * asks for again under another address when it needs it.
 */
export async function fetchAhead(): Promise<void> {
  await Promise.allSettled([import("webvae/files"), import("webvae/layers")]);
}
