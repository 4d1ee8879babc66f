import { afterEach, expect, it, vi } from 'vitest';
import { ensureAdapter } from './ensure-adapter.js';

afterEach(() => vi.unstubAllEnvs());

it('fetches no driver that would not be used, since the environment names another', async () => {
  vi.stubEnv('TUBELET_VULKAN', '');
  vi.stubEnv('VK_DRIVER_FILES', '/nowhere/driver.json');
  const said: string[] = [];
  const probe = () => Promise.resolve({ reasons: ['no devices'] });
  const setup = ensureAdapter({ force: false, probe, say: (line) => said.push(line) });
  await expect(setup).rejects.toThrow(
    process.platform === 'linux' ? /names \/nowhere\/driver\.json .*Unset the variable/ : /finds no adapter/,
  );
  expect(said).toEqual(['No adapter yet: no devices']);
});
