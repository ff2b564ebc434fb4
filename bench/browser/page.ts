// The page of one library: fetches its job and executes the program's calls. The library is loaded only when its first
// step is timed.
import { countGpu, countWasm } from "./counters.js";
import { peerCalls, weightsIn } from "./peer_calls.js";
import type { Job, Material, OpenPeer, PageCalls, PageMemory } from "./protocol.js";

const counts = countGpu();
const wasmBytes = countWasm();
const peer = peerCalls(counts);

async function bytesOf(path: string): Promise<Uint8Array<ArrayBuffer>> {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

async function material(): Promise<Material> {
  const job = (await (await fetch("/job.json")).json()) as Job;
  const noise = new Float32Array((await bytesOf("/noise")).buffer);
  const stepSize = noise.length / job.noiseSteps;
  return {
    job,
    backend: new URLSearchParams(location.search).get("backend") ?? "",
    weights: weightsIn(await bytesOf("/weights")),
    images: await bytesOf("/images"),
    noise: Array.from({ length: job.noiseSteps }, (_, i) => noise.slice(i * stepSize, (i + 1) * stepSize)),
  };
}

/** Files in the page's own folder. */
function fetched(): string[] {
  const folder = new URL(".", location.href).href;
  const names = performance.getEntriesByType("resource").map(({ name }) => name);
  return names.filter((name) => name.startsWith(folder)).map((name) => name.slice(folder.length));
}

const calls: PageCalls = {
  losses: peer.losses,
  measure: peer.measure,
  async start() {
    const given = await material();
    const script = "./peer.js";
    const started = await peer.start(given, async () => ((await import(script)) as { open: OpenPeer }).open);
    return { ...started, fetched: fetched() };
  },
  memory(): Promise<PageMemory> {
    const used = peer.opened();
    const gpuBytes = counts.peakBytes > 0 ? counts.peakBytes - used.dataBytes : null;
    return Promise.resolve({ gpuBytes, hostBytes: wasmBytes() || null, ...used.memory?.() });
  },
  async adapter() {
    const adapter = await navigator.gpu?.requestAdapter({ powerPreference: "high-performance" });
    if (!adapter) return null;
    const { vendor, architecture, description } = adapter.info;
    return [vendor, architecture, description && `(${description})`].filter(Boolean).join(" ") || "unknown";
  },
  async sendWeights() {
    const weights = await peer.opened().firstWeights?.();
    if (weights) await fetch("/weights", { method: "POST", body: weights });
  },
};

Object.assign(window, { bench: calls });
