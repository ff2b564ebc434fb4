// Which elements of workgroup memory each lane of a kernel reads and writes, in order: the kernel itself is run, with a
// call put into every index of a workgroup array, so that what is traced are the shader's own expressions.
import type { Kernel } from "../../src/ops/op.js";
import { packUniform } from "../../src/shader.js";
import { withErrorScopes } from "./gpu.js";

/** An access of a lane: the array's number among the shader's workgroup arrays, and the element's in the array. */
export interface Access {
  readonly array: number;
  readonly element: number;
}

/** By workgroup, then by lane, in the order of the lane's program. */
export type Trace = readonly (readonly (readonly Access[])[])[];

/** Accesses of a lane that there is room for. */
const MOST = 2047;
/** More than any tensor of a test has. */
const TENSOR_BYTES = 2 ** 20;

/** A kernel's text. */
export function textOf({ shader }: Kernel): string {
  if (typeof shader.code !== "string") throw new Error(`${shader.name}: the text isn't loaded`);
  return shader.code;
}

/** The arrays of vec4f that a shader keeps in workgroup memory: each one's name and length. */
export function workgroupArrays(code: string): { name: string; length: number }[] {
  const all = code.match(/var<workgroup>/g) ?? [];
  const arrays = [...code.matchAll(/var<workgroup> ?(\w+): ?array<vec4f, ?(\d+)>/g)];
  if (arrays.length !== all.length) throw new Error("workgroup memory that is no array of vec4f");
  return arrays.map(([, name = "", length]) => ({ name, length: Number(length) }));
}

/** Where the bracket that is open at `from` is closed. */
function closing(code: string, from: number): number {
  let depth = 1;
  let at = from;
  while (depth > 0) {
    if (at === code.length) throw new Error("a bracket is never closed");
    if (code[at] === "[") depth++;
    if (code[at] === "]") depth--;
    at++;
  }
  return at - 1;
}

/** The shader with each index of a workgroup array noted down in group 1. */
function traced(code: string, entryPoint: string): string {
  const start = new RegExp(
    `fn ${entryPoint}\\(group: ?Group, ?@builtin\\(local_invocation_index\\) ?lane: ?u32\\) ?\\{`,
  );
  if (!start.test(code)) throw new Error(`${entryPoint} has other parameters than group and lane`);
  let text = code.replace(start, (found) => `${found} traced_lane = group_number(group) * WORKGROUP_SIZE + lane;`);
  for (const [number, { name }] of workgroupArrays(code).entries()) {
    const access = new RegExp(`\\b${name}\\[`, "g");
    while (access.test(text)) {
      const from = access.lastIndex;
      const to = closing(text, from);
      text = `${text.slice(0, from)}traced(${number}u, ${text.slice(from, to)})${text.slice(to)}`;
    }
  }
  return `${text}
    @group(1) @binding(0) var<storage, read_write> trace: array<array<u32, ${MOST + 1}>>;
    var<private> traced_lane: u32;
    var<private> traced_count: u32;
    fn traced(number: u32, element: u32) -> u32 {
      traced_count++;
      trace[traced_lane][0] = traced_count;
      trace[traced_lane][min(traced_count, ${MOST}u)] = (number << 16u) | element;
      return element;
    }`;
}

/** Runs the kernel on zeros. `code`: another text in place of its shader's. */
export async function traceOf(gpu: GPUDevice, kernel: Kernel, code = textOf(kernel)): Promise<Trace> {
  const { shader, entryPoint, constants, shape, workgroups } = kernel;
  const lanes = constants.WORKGROUP_SIZE ?? 0;
  const { STORAGE, UNIFORM, COPY_SRC, COPY_DST, MAP_READ } = GPUBufferUsage;
  const buffers: GPUBuffer[] = [];
  const buffer = (size: number, usage: number) => {
    const made = gpu.createBuffer({ size, usage });
    buffers.push(made);
    return made;
  };
  try {
    return await withErrorScopes(gpu, async () => {
      const module = gpu.createShaderModule({ code: traced(code, entryPoint) });
      const pipeline = await gpu.createComputePipelineAsync({
        layout: "auto",
        compute: { module, entryPoint, constants },
      });
      const entries = shader.entryPoints[entryPoint]!.bindings.map((name) => {
        const { binding, access, minimumBytes } = shader.bindings[name]!;
        const uniform = access === "uniform";
        const made = buffer(uniform ? minimumBytes : TENSOR_BYTES, (uniform ? UNIFORM : STORAGE) | COPY_DST);
        if (uniform) gpu.queue.writeBuffer(made, 0, packUniform(shader, name, shape));
        return { binding, resource: { buffer: made } };
      });
      const size = 4 * workgroups * lanes * (MOST + 1);
      const trace = buffer(size, STORAGE | COPY_SRC);
      const read = buffer(size, MAP_READ | COPY_DST);
      const encoder = gpu.createCommandEncoder();
      const pass = encoder.beginComputePass();
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, gpu.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }));
      const noted = [{ binding: 0, resource: { buffer: trace } }];
      pass.setBindGroup(1, gpu.createBindGroup({ layout: pipeline.getBindGroupLayout(1), entries: noted }));
      pass.dispatchWorkgroups(workgroups);
      pass.end();
      encoder.copyBufferToBuffer(trace, 0, read, 0, size);
      gpu.queue.submit([encoder.finish()]);
      await read.mapAsync(GPUMapMode.READ);
      const words = new Uint32Array(read.getMappedRange().slice(0));
      return Array.from({ length: workgroups }, (_, group) =>
        Array.from({ length: lanes }, (_, lane) => accesses(words, (group * lanes + lane) * (MOST + 1))),
      );
    });
  } finally {
    for (const one of buffers) one.destroy();
  }
}

function accesses(words: Uint32Array, from: number): Access[] {
  const count = words[from]!;
  if (count > MOST) throw new Error(`${count} accesses of a lane, and room for ${MOST}`);
  return [...words.subarray(from + 1, from + 1 + count)].map((word) => ({ array: word >> 16, element: word & 0xffff }));
}
