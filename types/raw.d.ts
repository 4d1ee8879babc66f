/** Vite, and so the tests, give a file's text where `?raw` follows its name. */
declare module '*?raw' {
  const text: string;
  export default text;
}
