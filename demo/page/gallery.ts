// What a model makes: samples, and examples beside their reconstructions. Of images as pictures, of points as dots.
import type { ExplorerModel } from "webvae/explorer";
import type { Opened } from "../protocol.js";
import { ImageGallery } from "./image_gallery.js";
import { PointGallery } from "./point_gallery.js";

export interface Gallery {
  /** Draws everything with the weights as they are. */
  draw(): Promise<void>;
  /** Other random latents. */
  redraw(): Promise<void>;
  /** Pictures to keep, from the weights as they are. */
  samplesPng(): Promise<Blob>;
  reconstructionsPng(): Promise<Blob>;
  dispose(): void;
}

export function galleryOf(model: ExplorerModel, opened: Opened): Gallery {
  return opened.data.kind === "images" ? new ImageGallery(model, opened) : new PointGallery(model, opened);
}
