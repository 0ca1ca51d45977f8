// The bundler gives stylesheets as their text.
declare module "*.css" {
  const text: string;
  export default text;
}
