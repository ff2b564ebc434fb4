// A stylesheet's text: build/explorer.mjs puts it, without its comments, into the script.
declare module "*.css" {
  const text: string;
  export default text;
}
