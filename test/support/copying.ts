// Dawn's null backend runs nothing, not even copies. Here its buffers have contents on the host: writes and submitted
// copies can be read back, so that checks for whether a submit has run succeed. Dispatches still compute nothing.

type Copy = () => void;

export function withCopies(device: GPUDevice): GPUDevice {
  const contents = new WeakMap<GPUBuffer, Uint8Array<ArrayBuffer>>();
  const of = (buffer: GPUBuffer) => {
    const known = contents.get(buffer) ?? new Uint8Array(buffer.size);
    contents.set(buffer, known);
    return known;
  };
  const commands = new WeakMap<GPUCommandBuffer, Copy[]>();

  const createBuffer = device.createBuffer.bind(device);
  device.createBuffer = (descriptor) => {
    const buffer = createBuffer(descriptor);
    const getMappedRange = buffer.getMappedRange.bind(buffer);
    buffer.getMappedRange = (offset = 0, size = buffer.size - offset) => {
      const mapped = getMappedRange(offset, size);
      if (!descriptor.mappedAtCreation) new Uint8Array(mapped).set(of(buffer).subarray(offset, offset + size));
      return mapped;
    };
    return buffer;
  };

  const { queue } = device;
  const writeBuffer = queue.writeBuffer.bind(queue);
  queue.writeBuffer = (buffer, at, data, from = 0, size) => {
    writeBuffer(buffer, at, data, from, size);
    const view = ArrayBuffer.isView(data);
    const step = view && "BYTES_PER_ELEMENT" in data ? Number(data.BYTES_PER_ELEMENT) : 1;
    const bytes = view ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : new Uint8Array(data);
    of(buffer).set(bytes.subarray(from * step, size === undefined ? undefined : (from + size) * step), at);
  };
  const submit = queue.submit.bind(queue);
  queue.submit = (list) => {
    const all = [...list];
    submit(all);
    for (const buffer of all) for (const copy of commands.get(buffer) ?? []) copy();
  };

  const createCommandEncoder = device.createCommandEncoder.bind(device);
  device.createCommandEncoder = (descriptor) => {
    const encoder = createCommandEncoder(descriptor);
    const copies: Copy[] = [];
    const copy = encoder.copyBufferToBuffer.bind(encoder);
    // The library only uses the form with five arguments.
    const noted = (from: GPUBuffer, at: number, to: GPUBuffer, into: number, size: number) => {
      copy(from, at, to, into, size);
      copies.push(() => of(to).set(of(from).subarray(at, at + size), into));
    };
    encoder.copyBufferToBuffer = noted as typeof encoder.copyBufferToBuffer;
    const finish = encoder.finish.bind(encoder);
    encoder.finish = (descriptor) => {
      const made = finish(descriptor);
      commands.set(made, copies);
      return made;
    };
    return encoder;
  };
  return device;
}
