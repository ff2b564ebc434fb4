// The kind and size of a picture, read from its headers before it is decoded, since a file of a few hundred bytes can
// decompress to gigabytes of pixels.

export interface PictureSize {
  readonly kind: "PNG" | "JPEG" | "GIF" | "WebP";
  readonly width: number;
  readonly height: number;
}

/** The most pixels a picture may have: 200 MB of memory, and what a phone's camera produces. */
const MOST_PIXELS = 50_000_000;
/** Pixels that are allowed whatever the file's size: 16 MB of memory, and a few times that inside a browser. */
const FREE_PIXELS = 4_000_000;
/** The limit for larger pictures: drawings in flat colours have about 100 pixels per byte, photographs under ten. */
const PIXELS_A_BYTE = 500;

/** Why a picture of this size, in a file of `bytes` bytes, is refused; undefined if it is not. */
export function tooLarge({ width, height }: PictureSize, bytes: number): string | undefined {
  const pixels = width * height;
  if (pixels > MOST_PIXELS) return `more than ${MOST_PIXELS / 1e6} million pixels (${width} x ${height})`;
  if (pixels <= Math.max(FREE_PIXELS, PIXELS_A_BYTE * bytes)) return undefined;
  return `more pixels (${width} x ${height}) than a file of its size can show`;
}

/** Reads a PNG, JPEG, GIF or WebP header; undefined for another file, or one that ends before its size. */
export function pictureSize(bytes: Uint8Array): PictureSize | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const says = (at: number, text: string) => {
    for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text.charCodeAt(i)) return false;
    return true;
  };
  let found: PictureSize | undefined;
  if (says(0, "\x89PNG\r\n\x1a\n") && says(12, "IHDR") && bytes.length >= 24) {
    found = { kind: "PNG", width: view.getUint32(16), height: view.getUint32(20) };
  } else if ((says(0, "GIF87a") || says(0, "GIF89a")) && bytes.length >= 10) {
    found = gifSize(view);
  } else if (says(0, "RIFF") && says(8, "WEBP") && bytes.length >= 30) {
    found = webpSize(view, says);
  } else if (says(0, "\xff\xd8\xff")) {
    found = jpegSize(view);
  }
  return found && found.width > 0 && found.height > 0 ? found : undefined;
}

/** The screen, or the first frame if that is larger: decoders allocate both. */
function gifSize(view: DataView): PictureSize | undefined {
  const tableBytes = (flags: number) => (flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0);
  let at = 13 + tableBytes(view.byteLength > 10 ? view.getUint8(10) : 0);
  // Extensions: a marker, a kind, and blocks that each begin with their length, up to one of length 0.
  while (at + 2 < view.byteLength && view.getUint8(at) === 0x21) {
    at += 2;
    while (at < view.byteLength && view.getUint8(at) !== 0) at += 1 + view.getUint8(at);
    at++;
  }
  if (at + 9 > view.byteLength || view.getUint8(at) !== 0x2c) return undefined;
  const [left, top, across, down] = [1, 3, 5, 7].map((offset) => view.getUint16(at + offset, true));
  const width = Math.max(view.getUint16(6, true), left! + across!);
  const height = Math.max(view.getUint16(8, true), top! + down!);
  return { kind: "GIF", width, height };
}

/** Reads its first chunk: lossy, lossless, or extended, which has a canvas. */
function webpSize(view: DataView, says: (at: number, text: string) => boolean): PictureSize | undefined {
  const kind = "WebP";
  if (says(12, "VP8 ") && says(23, "\x9d\x01\x2a")) {
    return { kind, width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff };
  }
  if (says(12, "VP8L") && says(20, "\x2f")) {
    const bits = view.getUint32(21, true);
    return { kind, width: (bits & 0x3fff) + 1, height: ((bits >> 14) & 0x3fff) + 1 };
  }
  if (says(12, "VP8X")) {
    const of24Bits = (at: number) => view.getUint16(at, true) + 65536 * view.getUint8(at + 2) + 1;
    return { kind, width: of24Bits(24), height: of24Bits(27) };
  }
  return undefined;
}

/** Walks the segments to the start of the frame. A thumbnail lies inside a segment and is skipped. */
function jpegSize(view: DataView): PictureSize | undefined {
  let at = 2;
  while (at + 9 <= view.byteLength) {
    if (view.getUint8(at) !== 0xff) return undefined;
    const marker = view.getUint8(at + 1);
    // A marker may be preceded by any number of FF bytes.
    if (marker === 0xff) {
      at++;
      continue;
    }
    const frame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (frame) return { kind: "JPEG", width: view.getUint16(at + 7), height: view.getUint16(at + 5) };
    // Image data or the end comes before any frame header, or a marker without a length, which could hide one.
    if (marker <= 0x01 || (marker >= 0xd0 && marker <= 0xda)) return undefined;
    const length = view.getUint16(at + 2);
    if (length < 2) return undefined;
    at += 2 + length;
  }
  return undefined;
}
