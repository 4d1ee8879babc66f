import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { commandNamed, commandsText } from './commands.js';

const own = fileURLToPath(new URL('..', import.meta.url));
let folder: string;

/** The command, bundled from the sources as a build does it: a chunk for what each command loads. */
beforeAll(async () => {
  mkdirSync(join(own, '.cache'), { recursive: true });
  folder = mkdtempSync(join(own, '.cache', 'command-'));
  await build({
    entryPoints: [join(own, 'src/cli.ts'), join(own, 'src/setup/probe-child.ts')],
    entryNames: '[name]',
    outdir: join(folder, 'dist'),
    bundle: true,
    splitting: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    conditions: ['@tubelet/source'],
    loader: { '.wgsl': 'text' },
    plugins: [
      {
        name: 'packages of others',
        setup: ({ onResolve }) =>
          onResolve({ filter: /^[^./]/ }, ({ path, kind }) =>
            kind === 'entry-point' || path.startsWith('@tubelet/') ? undefined : { path, external: true },
          ),
      },
    ],
    logLevel: 'error',
  });
  symlinkSync(join(own, 'package.json'), join(folder, 'package.json'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function tubelet(...words: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(folder, 'dist', 'cli.js'), ...words], {
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

describe('tubelet', () => {
  it('lists its commands', () => {
    expect(tubelet('--help')).toEqual({ status: 0, stdout: `${commandsText()}\n`, stderr: '' });
    expect(tubelet()).toEqual({ status: 2, stdout: '', stderr: `${commandsText()}\n` });
    expect(tubelet('--version').stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it('names a command that it does not have', () => {
    const { status, stderr } = tubelet('pretrian');
    expect(status).toBe(2);
    expect(stderr).toMatch(/no command "pretrian"[^]*\n {2}pretrain /);
  });

  it.each(['constructor', 'toString'])('has no command %s', (name) => {
    expect(commandNamed(name)).toBeUndefined();
  });

  it.each([
    ['pretrain', '--mask-ratio'],
    ['finetune', '--fold'],
    ['predict', '--window'],
    ['faces', '--subjects'],
    ['tune', '--clips'],
    ['setup', '--force'],
  ])('%s --help has the options of its program', (name, option) => {
    const { status, stdout } = tubelet(name, '--help');
    expect(stdout).toMatch(new RegExp(`^Usage: (tubelet )?${name}`));
    expect(stdout).toContain(option);
    expect(status).toBe(0);
  });

  it('knows the data sets of both programs', () => {
    expect(tubelet('data', 'check', '--help').stdout).toMatch(/dfew[^]*data check voxceleb2/);
    expect(tubelet('data', 'check', 'voxceleb2', '--help').stdout).toContain('VoxCeleb2');
  });

  it('hands over exit codes', () => {
    expect(tubelet('predict', 'nothing.mp4', '--checkpoint', 'nowhere')).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/^error: .*nowhere/) as string,
    });
    expect(tubelet('finetune', '--no-such-option').status).toBe(2);
    expect(tubelet('doctor', '--quick').stderr).toContain('unknown option --quick');
    expect(tubelet('tune', '--gpu', '-1').status).toBe(2);
    expect(tubelet('tune', '--gpu', '99')).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/^error: .*gpu 99/i) as string,
    });
    expect(tubelet('bench', 'speed').stderr).toMatch(/no benchmark speed[^]*kernels\|/);
  });

  it('says what the machine offers', () => {
    const { stdout, status } = tubelet('doctor');
    expect(stdout).toMatch(/^Node\n[^]*\nGPU\n[^]*\nCache\n/);
    expect(status).toBe(0);
    expect(existsSync(join(folder, 'dist', 'probe-child.js'))).toBe(true);
  });

  it('finds a choice of driver that there is not', () => {
    vi.stubEnv('TUBELET_VULKAN', 'nvidia');
    onTestFinished(() => void vi.unstubAllEnvs());
    const { stdout, stderr, status } = tubelet('doctor');
    expect(stdout).toMatch(/! TUBELET_VULKAN is "nvidia"; use one of [^]*unset TUBELET_VULKAN/);
    expect(stderr).not.toContain('DriverChoiceError');
    expect(status).toBe(1);
  });
});
