import { isSoftwareAdapter } from '@tubelet/kernels';
import { openGpu, requestNodeAdapter } from '@tubelet/kernels/node';
import { describeAdapter } from '../../shared/adapter.js';

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
  const { vendor, architecture, device, description } = info;
  return describeAdapter({ vendor, architecture, device, description, isSoftware: isSoftwareAdapter(info) });
}
