import type { RunConfig } from '../run/run-folder.js';

export const EXAMPLE_CONFIG: RunConfig = {
  program: 'pretrain',
  commandLine: ['pretrain', '--model', 'tiny', '<videos & "more">'],
  settings: { model: 'tiny', region: [2, 5, 10], maskRatio: 0.9, seed: 0 },
  versions: { node: '20.20.2', '@tubelet/trainer': '0.1.0' },
  adapter: { vendor: 'mesa', description: 'llvmpipe' },
  startedAt: '2026-01-02T03:04:05.000Z',
};
