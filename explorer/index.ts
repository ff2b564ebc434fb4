// The public API of webvae/explorer, and nothing else. Importing it defines <webvae-explorer> if there is a document.
import { defineExplorer } from "./element.js";

defineExplorer();

export { WebvaeExplorerElement } from "./element.js";
export type { Examples } from "./examples.js";
export { LatentExplorer } from "./latent_explorer.js";
export type { ExplorerOptions, Points } from "./space.js";
export type { ExplorerModel, RGB, Surface } from "./model.js";
export { localModel } from "./local_model.js";
export { remoteModel, RemoteFault } from "./remote_model.js";
export type { RemoteOptions } from "./remote_model.js";
export { serveModel } from "./serve_model.js";
export type { ServeOptions } from "./serve_model.js";
export type { Port } from "./messages.js";
