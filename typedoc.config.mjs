// npm run docs: a page for each export of each entry, into docs/api. A warning fails it.
import { Converter } from "typedoc";
import { ENTRIES } from "./build/entries.mjs";

/** @type {import("typedoc").TypeDocOptions} */
export default {
  name: "webvae",
  entryPoints: ENTRIES.map(({ source }) => source),
  tsconfig: "docs/tsconfig.json",
  out: "docs/api",
  cleanOutputDir: true,
  excludePrivate: true,
  excludeInternal: true,
  disableSources: true,
  hideGenerator: true,
  treatWarningsAsErrors: true,
  // Lists that types are made of: the types show what is in them.
  intentionallyNotExported: ["src/tensor.ts:activations", "src/ops/op.ts:schedules"],
  requiredToBeDocumented: ["Class", "Interface", "TypeAlias", "Variable"],
  validation: { notExported: true, invalidLink: true, notDocumented: true, unusedMergeModuleWith: true },
  plugin: [
    // Modules are called as they are imported.
    (app) => {
      app.converter.on(Converter.EVENT_CREATE_DECLARATION, (context, reflection) => {
        const [file] = context.getSymbolFromReflection(reflection)?.declarations ?? [];
        const entry = ENTRIES.find(({ source }) => file?.getSourceFile().fileName.endsWith(`/${source}`));
        if (entry && reflection.parent === context.project) reflection.name = entry.specifier;
      });
    },
  ],
};
