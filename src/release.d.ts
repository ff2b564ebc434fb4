// In the bundle, the same text in all files of one build (build/bundle.mjs); undefined elsewhere.
declare const RELEASE: string | undefined;
