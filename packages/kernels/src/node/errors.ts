/** Dawn offers no adapter. The message lists what was tried and what can be done about it. */
export class NoAdapterError extends Error {
  override readonly name = 'NoAdapterError';

  /** @param tried one line for each driver that was tried, with the reason it was not used */
  constructor(readonly tried: readonly string[]) {
    super(
      [
        'No WebGPU adapter was found.',
        ...tried.map((line) => `  - ${line}`),
        'What to do: `npm run doctor` says what is missing (GPU containers included);',
        '`node scripts/setup.mjs` puts a software Vulkan driver into the cache folder where there is no GPU.',
      ].join('\n'),
    );
  }
}

/** The recorded software driver cannot be used: its manifest, its files or a library of it is at fault. */
export class DriverLoadError extends Error {
  override readonly name = 'DriverLoadError';
}
