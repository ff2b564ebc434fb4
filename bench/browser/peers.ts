// Who is compared: each library and backend with the script of its page.

export interface KnownPeer {
  readonly name: string;
  /** The script under peers/, without its ending. */
  readonly script: string;
  readonly backend: string;
  /** Files of the package that the page fetches, from node_modules. */
  readonly assets?: readonly string[];
  /** How often to wait for the device: every so many steps. The best is taken. */
  readonly every: readonly number[];
  /** Relative difference of its losses from webvae's in single precision, where it may be larger than others'. */
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
