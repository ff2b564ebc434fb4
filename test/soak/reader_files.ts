// The file readers: how each is called, files that it can read, and files designed to be expensive.
import { constants, deflateRawSync, gzipSync } from "node:zlib";
import { arrayKind, headOf } from "../../demo/data/array_kind.js";
import { dataFromFiles } from "../../demo/data/files.js";
import { DataFault } from "../../demo/data/loaded.js";
import { pictureSize, tooLarge } from "../../demo/data/picture_header.js";
import { readJson } from "../../demo/json_fault.js";
import { readCheckpoint, writeCheckpoint } from "../../src/checkpoint.js";
import * as datasets from "../../src/datasets.js";
import { models, WebvaeError, type ModelSpec, type SaveOptions } from "../../src/index.js";
import { defineModel } from "../../src/parameters.js";
import { resolveSpec } from "../../src/spec.js";
import { size } from "../../src/tensor.js";
import { gzip, idxBytes } from "../support/idx.js";
import { npyBytes, npyFile } from "../support/npy.js";
import { bytes } from "./damage.js";

export interface Reader {
  readonly name: string;
  /** Valid files, each of which must be read without an error. */
  readonly whole: () => Promise<Uint8Array[]> | Uint8Array[];
  /** Files below ten megabytes that are designed to be expensive. */
  readonly costly?: () => Uint8Array[];
  readonly read: (file: Uint8Array<ArrayBuffer>) => unknown;
  /** Whether the reader may throw this. */
  readonly typed?: (error: unknown) => boolean;
}

export const isTyped = (error: unknown) => error instanceof WebvaeError && error.code !== "INTERNAL";
const bits = (count: number) => Uint8Array.from({ length: count }, (_, i) => (i * 7919) % 256);

/** A safetensors file with this header and `zeros` bytes of data. */
function safetensors(header: string, zeros = 0): Uint8Array {
  const text = Buffer.from(header);
  const file = new Uint8Array(8 + text.length + zeros);
  new DataView(file.buffer).setUint32(0, text.length, true);
  file.set(text, 8);
  return file;
}

/**
 * A gzip file of `head` and `megabytes` of zeros that claims `says` bytes at its end; valid except for its checksum.
 */
function bomb(head: Uint8Array, megabytes: number, says = head.length + megabytes * 2 ** 20): Uint8Array {
  const flushed = { level: 9, finishFlush: constants.Z_FULL_FLUSH };
  const zeros = deflateRawSync(new Uint8Array(2 ** 20), flushed);
  const end = Buffer.alloc(8);
  end.writeUInt32LE(says, 4);
  return Buffer.concat([
    Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 3]),
    deflateRawSync(head, flushed),
    ...new Array<Buffer>(megabytes).fill(zeros),
    deflateRawSync(new Uint8Array()),
    end,
  ]);
}

const specs = () => [models.mlp([2, 2, 1], 2), models.conv([8, 8, 1], 2), models.points([2], 1)];

function modelFile(spec: ModelSpec, training: boolean, options: SaveOptions = {}) {
  const model = defineModel(resolveSpec(spec));
  const flat = () => new Float32Array(size(model.params.storage)).fill(0.5);
  const progress = { seed: 1, step: 2, epoch: 1, epochStep: 0 };
  return writeCheckpoint(
    {
      model,
      weights: flat(),
      statistics: new Float32Array(size(model.running.storage)),
      ...(training ? { training: { moment1: flat(), moment2: flat(), progress, schedules: {} } } : {}),
    },
    options,
  );
}

/** JSON with `item` repeated `count` times. */
const list = (item: string, count: number) => `[${new Array<string>(count).fill(item).join(",")}]`;
const specOf = (encoder: string) =>
  `{"input":[4],"encoder":${encoder},"latent":2,"decoder":[{"type":"dense","units":4}],"likelihood":"bernoulli"}`;
const nested = (depth: number) =>
  `${'[{"type":"residual","layers":'.repeat(depth)}[{"type":"flatten"}]${"}]".repeat(depth)}`;
const costlySpecs = () => [
  specOf(list('{"type":"flatten"}', 120_000)),
  specOf(list('{"type":"residual","layers":[{"type":"flatten"}]}', 40_000)),
  specOf(list('{"type":"dense","units":4}', 1000)),
  specOf(list(`{"type":"residual","layers":${list('{"type":"dense","units":4}', 1000)}}`, 9)),
  specOf(nested(60_000)),
  specOf("[".repeat(2_000_000)),
  specOf(`[{"type":"dense","units":4,"${"k".repeat(2_000_000)}":1}]`),
  specOf(`[{${Array.from({ length: 100_000 }, (_, i) => `"k${i}":1`).join(",")}}]`),
  specOf(`[{"type":"reshape","shape":${list("1", 1_000_000)}}]`),
];
const asModel = (spec: string) => safetensors(`{"__metadata__":{"model_spec":${JSON.stringify(spec)}}}`);

/** The first bytes of one picture in every format. */
const pictures = () => [
  bytes("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x01\0\0\0\x01\0\x08\x02\0\0\0"),
  bytes("GIF89a\x10\0\x10\0\x80\0\0\0\0\0\xff\xff\xff!\xf9\x04\0\0\0\0\0,\0\0\0\0\x10\0\x10\0\0\x02"),
  bytes("RIFF\0\0\0\0WEBPVP8 \0\0\0\0\0\0\0\x9d\x01*\x20\0\x20\0"),
  bytes("RIFF\0\0\0\0WEBPVP8L\0\0\0\0/\x63\x40\x31\0\0\0\0\0\0"),
  bytes("RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\x0f\0\0\x0f\0\0"),
  bytes("\xff\xd8\xff\xe0\0\x04ab\xff\xc4\0\x04cd\xff\xc2\0\x11\x08\0\x20\0\x20\x03\x01\x22\0\x02\x11\x01\x03\x11\x01"),
];

/** As in a page's worker. */
const asFile = (content: Uint8Array<ArrayBuffer>) => new File([content], "some file");

export const readers: readonly Reader[] = [
  {
    name: "model files",
    whole: () =>
      specs().flatMap((spec) => [
        modelFile(spec, false),
        modelFile(spec, true),
        modelFile(spec, false, { precision: "f16" }),
        modelFile(spec, false, { part: "decoder", precision: "f16" }),
        modelFile(spec, false, { part: "encoder" }),
      ]),
    costly: () => [
      ...costlySpecs().map(asModel),
      safetensors(`{"__metadata__":{${Array.from({ length: 700_000 }, (_, i) => `"${i}":""`).join(",")}}}`),
      safetensors(
        `{${Array.from({ length: 150_000 }, (_, i) => `"${i}":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}`).join()}}`,
      ),
      safetensors(`{"w":{"dtype":"U8","shape":${list("1", 4_000_000)},"data_offsets":[0,1]}}`, 1),
      safetensors(`{"w":{"dtype":"U8","shape":[],"data_offsets":${list("1", 4_000_000)}}}`, 1),
      safetensors(`{${" ".repeat(9_000_000)}`),
      safetensors(`{"${"\\\\".repeat(4_500_000)}`),
      safetensors(`{"${"a".repeat(9_000_000)}":{}}`),
      safetensors(`{"__metadata__":{"model_spec":"${"a".repeat(9_000_000)}"}}`),
      safetensors(`{"__metadata__":{"training_state":"${"[".repeat(9_000_000)}"}}`),
    ],
    read: (file) => readCheckpoint(file),
  },
  {
    name: "IDX",
    whole: () => [idxBytes([3, 4, 5], bits(60)), gzip(idxBytes([2, 2, 3, 1], bits(12)))],
    costly: () =>
      [
        bomb(idxBytes([1000, 10, 10], new Uint8Array()), 1000),
        bomb(idxBytes([1000, 1000, 1000], new Uint8Array()), 500),
        bomb(idxBytes([10, 1000, 1000], new Uint8Array()), 1000, 10_000_016),
        bomb(idxBytes([1000, 1000, 1000], new Uint8Array()), 1, 1_000_000_016),
        bomb(new Uint8Array(), 1000),
        gzipSync(bytes("\0\0\x08\xff".padEnd(10_000, "\xff"))),
        bytes("\0\0\x08\xff".padEnd(9_000_000, "\xff")),
      ].map((file) => new Uint8Array(file)),
    read: (images) => datasets.imagesFromIdx({ images, name: "i" }),
  },
  {
    name: "IDX labels",
    whole: () => [idxBytes([3], bits(3)), gzip(idxBytes([3], bits(3)))],
    read: (labels) => datasets.imagesFromIdx({ images: idxBytes([3, 1, 2], bits(6)), labels, name: "i" }),
  },
  {
    name: "npy",
    whole: () => [
      npyBytes([3, 4, 5], bits(60)),
      npyBytes(
        [6, 2],
        Float32Array.from({ length: 12 }, (_, i) => Math.sin(i)),
        2,
      ),
      npyBytes([1, 2, 1, 2], Float64Array.of(1, 2, 3, 4), 3),
      npyFile(
        "{'descr': '<i8', 'fortran_order': False, 'shape': (2, 2), }",
        bits(32).map((_, i) => (i % 8 ? 0 : i)),
      ),
      npyFile(
        "{'descr': '>f2', 'fortran_order': False, 'shape': (2, 3), }",
        bits(12).map((_, i) => (i % 2 ? i : 60)),
      ),
      gzip(npyBytes([3, 4], bits(12))),
    ],
    costly: () => [
      bomb(npyBytes([1000, 10], new Uint8Array()), 1000),
      bomb(npyBytes([10_000, 1000], new Float32Array()), 1000, 40_000_128),
      npyFile(`{'descr': '<f4', 'shape': (${"9, ".repeat(3000)})`, new Uint8Array(1_000_000)),
      npyFile(`{${"'descr': '<f4', ".repeat(600)}`, new Uint8Array(9_000_000)),
      npyFile(" ".repeat(9990), new Uint8Array(9_000_000)),
    ],
    read: (file) => datasets.fromNpy(file, { name: "n" }),
  },
  {
    name: "npy, channels first",
    whole: () => [npyBytes([2, 3, 2, 2], bits(24)), npyBytes([1, 1, 2, 2], Float32Array.of(1, 2, 3, 4))],
    read: (file) =>
      datasets
        .fromNpy(file, { channels: "first", scale: 3, labels: npyBytes([2], Uint8Array.of(1, 2)) })
        .catch((error: unknown) => {
          // Labels for another number of examples.
          if (error instanceof WebvaeError && /examples but/.test(error.message)) return undefined;
          throw error;
        }),
  },
  {
    name: "specs",
    whole: () => specs().map((spec) => bytes(JSON.stringify(spec))),
    costly: () => costlySpecs().map(bytes),
    read: (file) => {
      let spec: unknown;
      try {
        spec = JSON.parse(Buffer.from(file).toString());
      } catch {
        throw new WebvaeError("INVALID_SPEC", "no JSON");
      }
      return defineModel(resolveSpec(spec));
    },
  },
  {
    name: "the page's specs",
    whole: () => specs().map((spec) => bytes(JSON.stringify(spec, undefined, 2))),
    costly: () => costlySpecs().map(bytes),
    read: (file) => {
      const { fault } = readJson(Buffer.from(file).toString());
      if (fault) throw new WebvaeError("INVALID_SPEC", fault.message);
    },
  },
  {
    name: "picture headers",
    whole: pictures,
    costly: () => [
      bytes("\xff\xd8".padEnd(9_000_000, "\xff")),
      bytes(`\xff\xd8${"\xff\xe0\0\x02".repeat(2_000_000)}`),
      bytes(`GIF89a\x10\0\x10\0\0\0\0${"!\xf9\x01x".repeat(2_000_000)}`),
      bytes(`GIF89a\x10\0\x10\0\0\0\0!\xf9${"\x01x".repeat(4_000_000)}`),
      bytes("GIF89a\x01\0\x01\0\0\0\0,\0\0\0\0\x80\x3e\x9e\x3e\0\x02"),
    ],
    read: (file) => {
      const found = pictureSize(file);
      const refused = found ? tooLarge(found, file.length) : "no picture";
      if (refused) throw new DataFault("x", refused, []);
      // A browser decodes at most this many pixels from such a small file.
      if (found!.width * found!.height > 4_000_000)
        throw new Error(`${found!.width} x ${found!.height} would be decoded`);
    },
    typed: (error) => error instanceof DataFault,
  },
  {
    name: "files that a visitor drops",
    whole: () => [
      idxBytes([4, 2, 2], bits(16)),
      gzip(idxBytes([4, 2, 2], bits(16))),
      npyBytes([4, 2, 2], bits(16)),
      npyBytes(
        [5, 2],
        Float32Array.from({ length: 10 }, (_, i) => Math.sin(i)),
        3,
      ),
    ],
    costly: () => [
      bomb(idxBytes([1000, 10, 10], new Uint8Array()), 1000),
      bomb(npyBytes([1000, 10], new Uint8Array()), 1000, 10_128),
      bomb(new Uint8Array(), 1000),
      new Uint8Array(9_000_000),
    ],
    read: async (file) => {
      arrayKind(await headOf(asFile(file)));
      return dataFromFiles([asFile(file)]);
    },
    typed: (error) => error instanceof DataFault,
  },
];
