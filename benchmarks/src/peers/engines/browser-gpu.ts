import { isSoftwareAdapter } from '@tubelet/kernels';
import { openGpu, requestNodeAdapter } from '@tubelet/kernels/node';

/**
 * Gives code written for browsers the GPU that this project's programs use, as `navigator.gpu`, with the same flags
 * and the same pauses between dawn.node's questions. Returns what the adapter calls itself.
 */
export async function provideNavigatorGpu(): Promise<string> {
  const gpu = await openGpu();
  Object.defineProperty(globalThis, 'navigator', {
    value: { gpu, userAgent: 'node', language: 'en', hardwareConcurrency: 1 },
    configurable: true,
  });
  const { info } = await requestNodeAdapter(gpu);
  const name = info.description || info.device || info.vendor || 'unnamed adapter';
  return isSoftwareAdapter(info) ? `${name} (software)` : name;
}
