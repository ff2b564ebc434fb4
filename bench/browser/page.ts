// The page of one library: fetches what it shall train, and does what the program asks of it. The library is loaded
// only when its first step is to be timed.
import { asFloat32, readSafetensors } from "../../src/safetensors.js";
import { countGpu, countWasm } from "./counters.js";
import type { Counted, Job, Material, OpenPeer, PageCalls, PageMemory, Peer, Weight } from "./protocol.js";

const counts = countGpu();
const wasmBytes = countWasm();
let peer: Peer | undefined;

async function bytesOf(path: string): Promise<Uint8Array<ArrayBuffer>> {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

async function material(): Promise<Material> {
  const job = (await (await fetch("/job.json")).json()) as Job;
  const saved = await bytesOf("/weights");
  const weights = new Map<string, Weight>();
  if (saved.length > 0) {
    for (const [name, tensor] of readSafetensors(saved).tensors) {
      weights.set(name, { shape: tensor.shape, values: asFloat32(tensor, name) });
    }
  }
  const noise = new Float32Array((await bytesOf("/noise")).buffer);
  const stepSize = noise.length / job.noiseSteps;
  return {
    job,
    backend: new URLSearchParams(location.search).get("backend") ?? "",
    weights,
    images: await bytesOf("/images"),
    noise: Array.from({ length: job.noiseSteps }, (_, i) => noise.slice(i * stepSize, (i + 1) * stepSize)),
  };
}

/** Files of the page's own folder. */
function fetched(): string[] {
  const folder = new URL(".", location.href).href;
  const names = performance.getEntriesByType("resource").map(({ name }) => name);
  return names.filter((name) => name.startsWith(folder)).map((name) => name.slice(folder.length));
}

function opened(): Peer {
  if (!peer) throw new Error("not started");
  return peer;
}

const calls: PageCalls = {
  async start() {
    const given = await material();
    const script = "./peer.js";
    const started = performance.now();
    const { open } = (await import(script)) as { open: OpenPeer };
    peer = await open(given);
    const [loss = NaN] = await peer.losses(1);
    const firstStepMs = performance.now() - started;
    return { firstStepMs, loss, detail: peer.detail, fetched: fetched() };
  },
  losses: (count) => opened().losses(count),
  async measure(pace): Promise<Counted> {
    const [dispatches, submits] = [counts.dispatches, counts.submits];
    const timed = await opened().measure(pace);
    if (counts.dispatches === 0) return { ...timed, kernels: null, submits: null };
    return {
      ...timed,
      kernels: (counts.dispatches - dispatches) / timed.steps,
      submits: timed.submits ?? (counts.submits - submits) / timed.steps,
    };
  },
  memory(): Promise<PageMemory> {
    const used = opened();
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
    const weights = await opened().firstWeights?.();
    if (weights) await fetch("/weights", { method: "POST", body: weights });
  },
};

Object.assign(window, { bench: calls });
