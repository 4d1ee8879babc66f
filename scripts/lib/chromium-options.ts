/** What a headless Chromium has to be told: WebGPU without a GPU is behind a flag. */
export const launchOptions = {
  args: ['--enable-unsafe-webgpu'],
  chromiumSandbox: process.getuid?.() !== 0,
};
