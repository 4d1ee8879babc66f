export {};

declare module 'vitest' {
  export interface ProvidedContext {
    /** How to start the browser. */
    launchOptions: {
      readonly executablePath: string;
      readonly args: readonly string[];
      readonly chromiumSandbox: boolean;
    };
  }
}
