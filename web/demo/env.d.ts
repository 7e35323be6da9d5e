interface ImportMeta {
  readonly env: { readonly PROD: boolean };
}
declare module "*.jpg" {
  const address: string;
  export default address;
}
declare module "*.png" {
  const address: string;
  export default address;
}
