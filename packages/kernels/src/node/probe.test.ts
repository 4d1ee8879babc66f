import { afterAll, expect, it } from 'vitest';
import { closeGpu } from './gpu.js';
import { probeGpu } from './probe.js';

afterAll(() => closeGpu());

it('says what the adapter is after running a kernel on it', async () => {
  const report = await probeGpu();
  expect(['system', 'llvmpipe', 'swiftshader']).toContain(report.driver);
  expect(report.vendor + report.description).not.toBe('');
  expect(report.features).toContain('core-features-and-limits');
  expect(report.limits.maxBufferSize).toBeGreaterThanOrEqual(256 * 2 ** 20);
  expect(report.subgroupMinSize).toBeLessThanOrEqual(report.subgroupMaxSize);
});

it('opens the GPU as its options say, and then has what Dawn hides otherwise', async () => {
  const hidden = (features: readonly string[]) => features.filter((name) => name.startsWith('chromium-'));
  const [plain, report] = [await probeGpu(), await probeGpu({ matrixUnits: true })];
  expect(report.description).toBe(plain.description);
  expect(hidden(report.features).length).toBeGreaterThan(hidden(plain.features).length);
});
