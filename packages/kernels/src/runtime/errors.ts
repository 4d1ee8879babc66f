/** Base of every error that the engine raises on purpose. */
export class TubeletError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** No adapter could be had from this WebGPU implementation. */
export class NoAdapterError extends TubeletError {
  constructor(
    message: string,
    /** One line for each driver that was tried, with the reason it was not used. */
    readonly tried: readonly string[] = [],
  ) {
    super(message);
  }
}

/** An argument has a shape, dtype or layout that the operation cannot take. */
export class ShapeError extends TubeletError {}

/** Memory was given back twice, or by somebody who does not own it. */
export class ReleaseError extends TubeletError {}

/** Something was asked for inside a recorded step that could not happen again when it is replayed. */
export class RecordingError extends TubeletError {}

/** The GPU rejected a shader, a pipeline or a dispatch. Names the kernel and the shapes it ran on. */
export class KernelValidationError extends TubeletError {
  constructor(
    readonly kernel: string,
    readonly detail: string,
  ) {
    super(`kernel ${kernel} was rejected by the GPU: ${detail}`);
  }
}

/** The device could not provide memory. */
export class OutOfMemoryError extends TubeletError {
  constructor(
    readonly requestedBytes: number,
    /** Of the buffers that there were, in use or waiting for it. */
    readonly heldBytes: number,
    detail: string,
  ) {
    super(
      `the GPU is out of memory: ${formatBytes(requestedBytes)} requested beside buffers of ${formatBytes(heldBytes)}` +
        ` (${detail}). Use a smaller batch or a smaller model.`,
    );
  }
}

/** The device is gone (driver reset, unplugged, destroyed); nothing on it can be read any more. */
export class DeviceLostError extends TubeletError {
  constructor(
    readonly reason: string,
    detail: string,
  ) {
    super(
      `the GPU device was lost (${reason}): ${detail}. Open a new device and continue from the last checkpoint.`,
    );
  }
}

/** `1536` → `1.50 KiB`. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(value < 10 ? 2 : 1)} ${units[unit]}`;
}
