// Pipelines and bind group layouts from what the build read in the WGSL.
import type { ShaderSource } from "./shader_source.js";

/** Bytes between the Steps of one submit: the offset alignment of every adapter divides 256. */
export const STEP_STRIDE = 256;

/** Whether the device has every feature that the shader enables. */
export function runsOn({ features }: ShaderSource, device: GPUDevice): boolean {
  return features.every((feature) => device.features.has(feature));
}

/** The layout of group 1: one Step of lib/step.wgsl, whose offset is given when a step's dispatches are recorded. */
export function stepLayout(device: GPUDevice): GPUBindGroupLayout {
  return device.createBindGroupLayout({
    label: "step",
    entries: [
      {
        binding: 0,
        visibility: GPUShaderStage.COMPUTE,
        buffer: { type: "uniform", hasDynamicOffset: true },
      },
    ],
  });
}

/** The layout of group 0 for one entry point, with only the bindings that it uses. */
export function tensorLayout(device: GPUDevice, shader: ShaderSource, entryPoint: string): GPUBindGroupLayout {
  const names = shader.entryPoints[entryPoint]?.bindings ?? [];
  const entries: GPUBindGroupLayoutEntry[] = [];
  for (const name of names) {
    const binding = shader.bindings[name];
    if (!binding || binding.group !== 0) continue;
    const type = { uniform: "uniform", read: "read-only-storage", read_write: "storage" } as const;
    entries.push({
      binding: binding.binding,
      visibility: GPUShaderStage.COMPUTE,
      buffer: { type: type[binding.access], minBindingSize: binding.minimumBytes },
    });
  }
  return device.createBindGroupLayout({ label: `${shader.name}.${entryPoint}`, entries });
}

/**
 * Bytes of a uniform struct from values by member name; those of an array that are not given are 0. Throws where a
 * member has no value or a value no member.
 */
export function packUniform(
  shader: ShaderSource,
  uniform: string,
  values: Readonly<Record<string, number | readonly (number | undefined)[]>>,
): ArrayBuffer {
  const layout = shader.uniforms[uniform];
  if (!layout) throw new Error(`${shader.name}.wgsl has no uniform ${uniform}`);
  const bytes = new ArrayBuffer(layout.bytes);
  const view = new DataView(bytes);
  for (const { name, type, offset, count = 1 } of layout.members) {
    const given = [values[name]].flat();
    if (given.length > count) throw new Error(`${shader.name}.wgsl: ${uniform}.${name} has room for ${count} values`);
    given.forEach((value, i) => {
      const at = offset + 4 * i;
      if (value === undefined) throw new Error(`${shader.name}.wgsl: ${uniform}.${name} is given no value`);
      if (type === "f32") view.setFloat32(at, value, true);
      else if (type === "u32") view.setUint32(at, value, true);
      else view.setInt32(at, value, true);
    });
  }
  for (const name of Object.keys(values)) {
    if (!layout.members.some((member) => member.name === name)) {
      throw new Error(`${shader.name}.wgsl: ${uniform} has no member ${name}`);
    }
  }
  return bytes;
}
