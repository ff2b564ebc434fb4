// The page requests one device and gives it to both. The library never destroys it, and `submitMs` keeps its submits
// short enough for a frame to fit between two.
import * as THREE from "three/webgpu";
import { VAE, models } from "webvae";
import { digits } from "webvae/datasets";

const output = /** @type {HTMLOutputElement} */ (document.querySelector("output"));
const canvas = /** @type {HTMLCanvasElement} */ (document.querySelector("canvas"));

async function start() {
  const adapter = await navigator.gpu?.requestAdapter();
  if (!adapter) throw new Error("This example needs WebGPU, but this browser has no adapter");
  const device = await adapter.requestDevice();

  const renderer = new THREE.WebGPURenderer({ canvas, device });
  await renderer.init();
  renderer.setSize(448, 448, false);
  const scene = new THREE.Scene();
  scene.background = new THREE.Color(0xf4f1ea);
  const camera = new THREE.PerspectiveCamera(40, 1, 0.1, 20);
  camera.position.z = 4;
  // Each face of the cube shows 16 samples in rows.
  const side = 4 * 28;
  const texels = new Uint8Array(4 * side * side).fill(255);
  const texture = new THREE.DataTexture(texels, side, side);
  texture.colorSpace = THREE.SRGBColorSpace;
  const cube = new THREE.Mesh(new THREE.BoxGeometry(1.6, 1.6, 1.6), new THREE.MeshBasicMaterial({ map: texture }));
  scene.add(cube);
  await renderer.setAnimationLoop((/** @type {number} */ time) => {
    cube.rotation.set(0.5, time / 3000, 0);
    renderer.render(scene, camera);
  });

  /** @param {Float32Array} images [16, 28, 28, 1] */
  const paint = (images) => {
    for (let y = 0; y < side; y++) {
      for (let x = 0; x < side; x++) {
        const image = 4 * Math.floor(y / 28) + Math.floor(x / 28);
        const grey = 255 * (1 - (images[784 * image + 28 * (y % 28) + (x % 28)] ?? 0));
        // A texture's rows run from bottom to top.
        texels.fill(grey, 4 * (side * (side - 1 - y) + x), 4 * (side * (side - 1 - y) + x) + 3);
      }
    }
    texture.needsUpdate = true;
  };

  const vae = await VAE.create(models.mlp([28, 28, 1], 10), { device });
  const data = digits({ split: "train", count: 2000, seed: 0 });
  let nats = 0;
  for await (const report of vae.train(data, { epochs: 3, batchSize: 64, learningRate: 2e-3, submitMs: 16 })) {
    nats = -report.elbo;
    output.value = `epoch ${report.epoch}, step ${report.step}: ${nats.toFixed(1)} nats`;
    if (report.epochEnd) paint(await vae.sample(16, { seed: 1 }));
  }
  output.value = `trained: ${nats.toFixed(1)} nats`;
  vae.dispose();
}

start().catch((error) => (output.value = error.message));
