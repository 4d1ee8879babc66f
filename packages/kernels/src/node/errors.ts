import { NoAdapterError, TubeletError } from '../runtime/errors.js';

export { NoAdapterError } from '../runtime/errors.js';

/**
 * Dawn offers no adapter. The message lists what was tried and what can be done about it.
 *
 * @param tried one line for each driver that was tried, with the reason it was not used
 */
export function noNodeAdapter(tried: readonly string[]): NoAdapterError {
  const message = [
    'No WebGPU adapter was found.',
    ...tried.map((line) => `  - ${line}`),
    'What to do: `npx tubelet doctor` says what is missing (GPU containers included);',
    '`npx tubelet setup` puts a software Vulkan driver into the cache folder where there is no GPU.',
  ];
  return new NoAdapterError(message.join('\n'), tried);
}

/** The recorded software driver cannot be used: its manifest, its files or a library of it is at fault. */
export class DriverLoadError extends TubeletError {}

/** The environment variable `TUBELET_VULKAN` names no driver that this project knows. */
export class DriverChoiceError extends TubeletError {}
