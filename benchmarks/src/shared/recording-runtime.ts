import { Runtime } from '@tubelet/kernels';

/**
 * A runtime on the same device that records everything (shape checks, variants, programs, bind groups, ledger) and
 * hands no command buffer to the GPU: passes cost no GPU time and leave results undefined. Dawn's null device would
 * do the same, but allows only 512 MiB of buffers. Destroy the original, not this one.
 */
export function recordingRuntime({ device, adapter, precision, forcedVariants }: Runtime): Runtime {
  const queue = overriding(device.queue, { submit: () => undefined });
  const recording = new Runtime(overriding(device, { queue }), adapter);
  recording.precision = precision;
  for (const [kernel, variant] of forcedVariants) recording.forcedVariants.set(kernel, variant);
  return recording;
}

// Methods of WebGPU objects must be called on the object itself.
function overriding<T extends object>(object: T, replacements: Readonly<Record<string, unknown>>): T {
  return new Proxy(object, {
    get: (target, name) => {
      if (typeof name === 'string' && name in replacements) return replacements[name];
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
