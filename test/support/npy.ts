/** The dict in an npy file's header, which describes the values. */
export const npyHeader = (descr: string, shape: string, order = "False"): string =>
  `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': ${shape}, }`;

/** An npy file of version `major`, as NumPy writes it: padded so that the values begin at a multiple of 64. */
export function npyBytes(
  shape: readonly number[],
  values: Uint8Array | Float32Array | Float64Array,
  major: 1 | 2 | 3 = 1,
): Uint8Array<ArrayBuffer> {
  const descr = values instanceof Uint8Array ? "|u1" : values instanceof Float32Array ? "<f4" : "<f8";
  const sizes = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
  const body = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return npyFile(npyHeader(descr, sizes), body, [major, 0]);
}

/** Header and body as given, valid or not. */
export function npyFile(
  header: string,
  body: Uint8Array,
  [major, minor]: readonly [number, number] = [1, 0],
): Uint8Array<ArrayBuffer> {
  const before = major === 1 ? 10 : 12;
  const length = Math.ceil((before + header.length + 1) / 64) * 64 - before;
  const text = `${header.padEnd(length - 1)}\n`;
  const file = new Uint8Array(before + length + body.length);
  file.set([0x93, ...Buffer.from("NUMPY"), major, minor]);
  const view = new DataView(file.buffer);
  if (major === 1) view.setUint16(8, length, true);
  else view.setUint32(8, length, true);
  file.set(Buffer.from(text, "latin1"), before);
  file.set(body, before + length);
  return file;
}
