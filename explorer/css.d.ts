// A stylesheet's text: build/explorer.mjs inlines it, without comments, into the script.
declare module "*.css" {
  const text: string;
  export default text;
}
