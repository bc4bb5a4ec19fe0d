/** esbuild's text loader: a stylesheet imported as a string. */
declare module "*.css" {
  const text: string;
  export default text;
}
