// A model on a device: the device that a VAE asks for, and its weights there.
import { abortable } from "./abort.js";
import { Device } from "./device.js";
import { WebvaeError } from "./errors.js";
import { ModelBuffers, type HostWeights } from "./model_buffers.js";
import type { Model } from "./parameters.js";
import { size } from "./tensor.js";
import type { VAEOptions } from "./vae_options.js";

/**
 * Throws NO_WEBGPU, NO_ADAPTER and DEVICE_REFUSED; LIMIT_EXCEEDED before `weights` makes anything; OUT_OF_MEMORY, TIMEOUT,
 * and the signal's reason, with nothing left behind.
 */
export async function opened(model: Model, weights: () => HostWeights, options: VAEOptions) {
  const device = await Device.open(options);
  const { signal } = options;
  try {
    const bytes = 4 * size(model.params.storage);
    const largest = Math.min(device.gpu.limits.maxStorageBufferBindingSize, device.gpu.limits.maxBufferSize);
    if (bytes > largest) {
      const count = model.parameters.reduce((sum, { tensor }) => sum + size(tensor.shape), 0);
      throw new WebvaeError(
        "LIMIT_EXCEEDED",
        `the model's ${count} parameters take ${bytes} bytes; this adapter allows ${largest}`,
      );
    }
    signal?.throwIfAborted();
    const made = device.working(() => ModelBuffers.create(device, model, weights()));
    return { device, buffers: await abortable(signal, made) };
  } catch (error) {
    device.dispose();
    throw error;
  }
}
