import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { fail, options, succeed, TINY_MODEL } from './testing/program.js';

const TRAIN_OPTIONS = [
  'out resume from model ablation region dim depth heads decoder-dim decoder-depth decoder-heads decoder-positions',
  'root image-size frames frame-step crop augmentation segment-seconds clips-per-video start-seconds end-seconds',
  'mask-ratio target loss-weight epochs warmup-epochs batch-size accumulate lr min-lr weight-decay precision seed',
  'watch watch-every save-every keep keep-every stop-after max-skipped reopen-gpu workers decode-limit gpu recompute dry-run memory-budget no-autotune profile trace debug config help',
].flatMap((line) => line.split(' '));
const PREPARE_OPTIONS =
  'out resume dry-run root image-size crop key-frame-interval shard-size workers debug help'.split(' ');
const RECONSTRUCT_OPTIONS =
  'checkpoint region out start-seconds frame-step crop mask-ratios mask-type seed no-prediction-row no-captions gpu debug help'.split(
    ' ',
  );

let folder = '';
const at = (...names: string[]) => join(folder, ...names);

beforeAll(async () => {
  // Without a GPU: what is refused here is refused before one is looked for.
  vi.stubEnv('TUBELET_VULKAN', 'system');
  vi.stubEnv('VK_DRIVER_FILES', '/dev/null');
  folder = await mkdtemp(join(tmpdir(), 'tubelet-command-line-'));
  await mkdir(at('empty'));
  await mkdir(at('texts'));
  for (const name of ['a.mp4', 'b.mp4']) await writeFile(at('texts', name), 'no video\n');
  await writeFile(at('checkpoint.safetensors'), 'no checkpoint\n');
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

/** The command line of a run that only lacks videos, with changes. */
function train(
  changes: Parameters<typeof options>[0] = {},
  sources: readonly string[] = [at('texts')],
): string[] {
  const settings = { 'batch-size': 2, 'warmup-epochs': 0, epochs: 1, out: at('run') };
  return ['pretrain', ...sources, ...options({ ...TINY_MODEL, ...settings, ...changes })];
}

describe('--help', () => {
  it.each([
    ['pretrain', TRAIN_OPTIONS],
    ['prepare', PREPARE_OPTIONS],
    ['reconstruct', RECONSTRUCT_OPTIONS],
  ])('of %s lists every option with its description', async (command, names) => {
    const { stdout, stderr } = await succeed([command, '--help']);
    expect(stderr).toBe('');
    const listed = [...stdout.matchAll(/^ {2}(?:-h, )?--([a-z-]+)(?: <[^>]+>)?\s+\S/gm)].map(
      ([, name]) => name,
    );
    expect(listed.sort()).toEqual([...names].sort());
  });
});

describe('a command line that cannot be used', () => {
  it.each<[string, () => string[], RegExp]>([
    ['unknown option', () => [...train(), '--bach-size', '4'], /unknown option '--bach-size'/],
    ['no videos', () => train({}, []), /missing required argument 'sources'/],
    ['no --out', () => ['pretrain', at('texts')], /required option '--out <dir>' is missing.*--config/],
    ['--batch-size 0', () => train({ 'batch-size': 0 }), /--batch-size: "0".*a whole number of at least 1/],
    ['--mask-ratio 1', () => train({ 'mask-ratio': 1 }), /--mask-ratio: "1".*below 1/],
    ['a region that does not divide', () => train({ region: '2,3,2' }), /--region: "2,3,2".*2×2×2/],
    ['a long warm-up', () => train({ 'warmup-epochs': 2 }), /--warmup-epochs: 2 .*--epochs/],
    [
      'regions of a ViT',
      () => ['pretrain', at('texts'), ...options({ model: 'vit-base', region: '2,5,10', out: at('run') })],
      /--region: "2,5,10".*vit-base/,
    ],
    [
      'a picture that is not a PNG',
      () => ['reconstruct', 'a.mp4', ...options({ checkpoint: 'c', out: 'picture.jpg' })],
      /--out: "picture.jpg".*\.png/,
    ],
  ])('%s: exit code 2, the option and its value named', async (_, args, message) => {
    expect(await fail(args(), 2)).toMatch(message);
  });
});

describe('input that cannot be used', () => {
  it.each<[string, () => string[], RegExp]>([
    ['an empty folder', () => train({}, [at('empty')]), /empty holds no videos/],
    ['a folder that is not there', () => train({}, [at('gone')]), /gone: there is no such file or folder/],
    ['a glob without matches', () => train({}, [at('*.avi')]), /\*\.avi: the pattern matches nothing/],
    ['no video that can be decoded', () => train(), /None of the 2 videos .*a\.mp4: /s],
    ['fewer samples than a batch', () => train({ 'batch-size': 3 }), /A batch takes 3 clips .* gives 2/],
    ['fewer batches than a step', () => train({ accumulate: 2 }), /1 batches of 2, fewer than the 2/],
    ['--resume without a run', () => train({ resume: true }), /run holds no run/],
    [
      'a checkpoint that is none',
      () => [
        'reconstruct',
        'a.mp4',
        ...options({ checkpoint: at('checkpoint.safetensors'), out: at('a.png') }),
      ],
      /checkpoint\.safetensors is not a usable checkpoint/,
    ],
    [
      'no checkpoint',
      () => ['reconstruct', 'a.mp4', ...options({ checkpoint: at('gone'), out: at('a.png') })],
      /gone: there is no such file/,
    ],
  ])('%s: exit code 1 and the reason', async (_, args, message) => {
    expect(await fail(args(), 1)).toMatch(message);
    // Nothing was begun: the same folder can be used once the input is mended.
    expect(await readdir(folder)).not.toContain('run');
  });
});
