import { defineConfig } from 'tsup';
import { shared } from '../tsup.shared.js';

const programs = {
  flops: 'src/flops/cli.ts',
  'gpu-report': 'src/gpu-report/cli.ts',
  kernels: 'src/kernels/cli.ts',
  loader: 'src/loader/cli.ts',
  model: 'src/model/cli.ts',
  overlap: 'src/overlap/cli.ts',
  operations: 'src/operations/cli.ts',
  conformance: 'src/conformance/cli.ts',
  peers: 'src/peers/cli.ts',
  'peer-process': 'src/peers/process.ts',
};

export default defineConfig(
  shared({ ...programs, docs: 'src/docs/cli.ts', tune: 'src/tune/cli.ts' }, { dts: false, platform: 'node' }),
);
