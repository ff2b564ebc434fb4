// A component that trains while it is mounted: the effect starts a run, and its clean-up ends it and frees the GPU.
import { StrictMode, useEffect, useRef, useState } from "react";
import { createRoot } from "react-dom/client";
import { VAE, models } from "webvae";
import { digits } from "webvae/datasets";
import { drawImages } from "../draw.js";

function Training({ learningRate }: { learningRate: number }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [text, setText] = useState("starting");

  useEffect(() => {
    const controller = new AbortController();
    const { signal } = controller;
    async function train() {
      using vae = await VAE.create(models.mlp([28, 28, 1], 10));
      const data = digits({ split: "train", count: 2000, seed: 0 });
      let nats = 0;
      for await (const report of vae.train(data, { epochs: 3, batchSize: 64, learningRate, signal })) {
        nats = -report.elbo;
        setText(`epoch ${report.epoch}, step ${report.step}: ${nats.toFixed(1)} nats`);
        if (report.epochEnd) drawImages(canvas.current!, await vae.sample(64, { seed: 1, signal }));
      }
      setText(`trained: ${nats.toFixed(1)} nats`);
    }
    train().catch((error: unknown) => {
      if (!signal.aborted) setText(String(error));
    });
    return () => controller.abort();
  }, [learningRate]);

  return (
    <>
      <output>{text}</output>
      <canvas ref={canvas} />
    </>
  );
}

function Page() {
  const [learningRate, setLearningRate] = useState(2e-3);
  return (
    <>
      <h1>React</h1>
      <p>Changing the learning rate ends the run and starts another. In strict mode, React itself does so once.</p>
      <label>
        Learning rate{" "}
        <select value={learningRate} onChange={({ target }) => setLearningRate(Number(target.value))}>
          <option>0.0005</option>
          <option>0.002</option>
          <option>0.005</option>
        </select>
      </label>{" "}
      <Training learningRate={learningRate} />
    </>
  );
}

createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <Page />
  </StrictMode>,
);
