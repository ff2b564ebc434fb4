// The peers: each library and backend with the script of its page.

export interface KnownPeer {
  readonly name: string;
  /** The script under peers/, without its extension. */
  readonly script: string;
  readonly backend: string;
  /** The package's files that the page fetches, from node_modules. */
  readonly assets?: readonly string[];
  /** Numbers of steps between waits for the device. The fastest is reported. */
  readonly every: readonly number[];
  /** Allowed relative difference of its losses from webvae's in single precision, if larger than for others. */
  readonly tolerance?: number;
}

const wasm = ["", "-simd", "-threaded-simd"].map(
  (kind) => `@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm${kind}.wasm`,
);

export const WEBVAE: KnownPeer = { name: "webvae", script: "webvae", backend: "webgpu", every: [1] };

export const knownPeers: readonly KnownPeer[] = [
  { name: "tfjs-webgpu", script: "tfjs_webgpu", backend: "webgpu", every: [50] },
  { name: "tfjs-wasm", script: "tfjs_wasm", backend: "wasm", assets: wasm, every: [50] },
  { name: "tfjs-webgl", script: "tfjs_bundled", backend: "webgl", every: [50] },
  { name: "tfjs-cpu", script: "tfjs_bundled", backend: "cpu", every: [50] },
  { name: "jaxjs-webgpu", script: "jaxjs", backend: "webgpu", every: [1, 10] },
  { name: "jaxjs-wasm", script: "jaxjs", backend: "wasm", every: [1, 10] },
];
