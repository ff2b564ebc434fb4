// A model's output: samples, and examples next to their reconstructions. Images appear as pictures, points as dots.
import type { ExplorerModel } from "webvae/explorer";
import type { Opened } from "../protocol.js";
import { ImageGallery } from "./image_gallery.js";
import { PointGallery } from "./point_gallery.js";

export interface Gallery {
  /** Draws everything with the current weights. */
  draw(): Promise<void>;
  /** Draws new random latents. */
  redraw(): Promise<void>;
  /** Pictures to download, from the current weights. */
  samplesPng(): Promise<Blob>;
  reconstructionsPng(): Promise<Blob>;
  dispose(): void;
}

export function galleryOf(model: ExplorerModel, opened: Opened): Gallery {
  return opened.data.kind === "images" ? new ImageGallery(model, opened) : new PointGallery(model, opened);
}
