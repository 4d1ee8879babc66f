import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { closeNodeRuntime, GpuChoiceError, openNodeRuntime } from '@tubelet/kernels/node';
import {
  lgiFormer,
  vitBase,
  type EncoderConfig,
  type PretrainingConfig,
  type TargetKind,
} from '@tubelet/mae-dfer';
import { OptionError, UserError } from '@tubelet/trainer';
import { CheckpointCorruptError, CheckpointReadError, saveCheckpoint } from '@tubelet/trainer/formats';
import { VideoDecodeError } from '@tubelet/video';
// Test code of a neighbour, which is not part of what its package offers.
import { publishedArchive } from '../../../../packages/mae-dfer/src/import/testing/published-archive.js';
import type { ReconstructOptions } from './reconstruct-options.js';
import { PictureFolderError, reconstruct } from './reconstruct.js';
import { TrainingState, type TrainedClips } from '../train/training-state.js';

const SIZE = 32;
const CLIP_FRAMES = 4;
const GAP = 2;
// Of a width that other tests train too: a software driver has compiled its kernels already.
const shape = { imageSize: SIZE, frames: CLIP_FRAMES, dim: 32, depth: 1, heads: 1 };
const config: PretrainingConfig = {
  encoder: lgiFormer('tiny', { ...shape, region: [1, 2, 2] }),
  decoder: { dim: 32, depth: 1, heads: 1 },
  decoderPositions: 'token',
};

let folder = '';
const at = (...names: string[]) => join(folder, ...names);
const defaults = () => ({
  checkpoint: at('bias.safetensors'),
  out: at('picture.png'),
  startSeconds: 0,
  frameStep: 2,
  crop: 'none' as const,
  maskRatios: [0.5],
  seed: 7,
  predictionRow: true,
  captions: false,
});
const run = (video: string, options: Partial<ReconstructOptions> = {}) =>
  reconstruct([at(video)], { ...defaults(), ...options });

/** Frame `index` of the test video, [SIZE, SIZE, 3]. */
function videoFrame(index: number): Uint8Array {
  return Uint8Array.from({ length: SIZE * SIZE * 3 }, (_, i) => {
    const [x, y, channel] = [Math.floor(i / 3) % SIZE, Math.floor(i / (3 * SIZE)), i % 3];
    return 60 + ((x * 7 + y * 3 + channel * 31 + index * 11) % 97);
  });
}

async function writeFrames(name: string, count: number): Promise<void> {
  await mkdir(at(name));
  const raw = { width: SIZE, height: SIZE, channels: 3 } as const;
  for (let index = 0; index < count; index++) {
    await sharp(videoFrame(index), { raw })
      .png()
      .toFile(at(name, `${String(index).padStart(3, '0')}.png`));
  }
}

const APPEARANCE = 0.8;
const MOTION = -0.4;

/** A model whose weights are zero but for the last bias: it predicts the same for every cube. */
async function writeConstantModel(
  path: string,
  {
    target = 'difference',
    lossWeight = 0.5,
    clips,
    encoder = config.encoder,
  }: { target?: TargetKind; lossWeight?: number; clips?: TrainedClips; encoder?: EncoderConfig } = {},
): Promise<void> {
  const runtime = await openNodeRuntime();
  try {
    const training = new TrainingState(
      runtime,
      { ...config, encoder, target },
      { weightDecay: 0, precision: 'f32', maskRatio: 0.5, lossWeight, seed: 0, ...clips },
    );
    const bias = new Float32Array(1536).fill(APPEARANCE, 0, 768).fill(MOTION, 768);
    training.model.store.get('decoder.head.bias').write(bias);
    await saveCheckpoint(path, await training.checkpoint(1));
  } finally {
    closeNodeRuntime(runtime);
  }
}

beforeAll(async () => {
  vi.spyOn(console, 'log').mockReturnValue();
  folder = await mkdtemp(join(tmpdir(), 'tubelet-reconstruct-'));
  await writeFrames('video', 9);
  await writeFrames('short', 7);
  await writeConstantModel(at('bias.safetensors'));
});
afterAll(async () => {
  vi.restoreAllMocks();
  await rm(folder, { recursive: true });
});

describe('reconstruct', () => {
  it('writes rows of original, masked, predicted and reconstructed frames', async () => {
    await run('video');
    expect(vi.mocked(console.log).mock.lastCall![0]).toMatch(/row 2 {2}masked at 50 %[^]*row 4 /);
    const { data, info } = await sharp(at('picture.png')).raw().toBuffer({ resolveWithObject: true });
    expect([info.width, info.height]).toEqual([CLIP_FRAMES * SIZE + 3 * GAP, 4 * SIZE + 4 * GAP + 2 * GAP]);
    const tops = [0, 40, 74, 108];
    const value = (row: number, frame: number, y: number, x: number, channel: number) =>
      data[((tops[row]! + y) * info.width + frame * (SIZE + GAP) + x) * 3 + channel]!;
    const original = [0, 2, 4, 6].map(videoFrame);
    const originalAt = (frame: number, y: number, x: number, channel: number) =>
      original[frame]![(y * SIZE + x) * 3 + channel]!;

    let maskedCubes = 0;
    for (let frame = 0; frame < CLIP_FRAMES; frame++) {
      const first = frame - (frame % 2);
      for (const [top, left] of [
        [0, 0],
        [0, 16],
        [16, 0],
        [16, 16],
      ] as const) {
        const isMasked = [0, 1, 2].every((channel) => value(1, frame, top, left, channel) === 128);
        if (isMasked) maskedCubes++;
        for (let channel = 0; channel < 3; channel++) {
          const [y, x] = [top + 5, left + 11];
          const truth = originalAt(frame, y, x, channel);
          expect(value(0, frame, y, x, channel)).toBe(truth);
          const pixels = [first, first + 1].flatMap((of) =>
            Array.from({ length: 256 }, (_, i) => originalAt(of, top + (i >> 4), left + (i % 16), channel)),
          );
          const mean = pixels.reduce((sum, pixel) => sum + pixel, 0) / 512;
          const deviation = Math.sqrt(pixels.reduce((sum, pixel) => sum + (pixel - mean) ** 2, 0) / 511);
          const appearance = mean + APPEARANCE * deviation;
          const motion = frame === first ? 0 : MOTION * deviation;
          const predicted = [128, frame === first ? appearance : 128 + motion, appearance + motion];
          const wanted = isMasked ? predicted : [truth, truth, truth];
          wanted.forEach((level, row) => {
            expect(Math.abs(value(1 + row, frame, y, x, channel) - level)).toBeLessThan(0.51);
          });
        }
      }
    }
    // 2 of the 4 positions, in each of 4 frames.
    expect(maskedCubes).toBe(8);
  });

  it('shows what a model of pixels predicts, and adds nothing', async () => {
    await writeConstantModel(at('pixels.safetensors'), { target: 'pixels' });
    await run('video', { checkpoint: at('pixels.safetensors'), out: at('pixels.png') });
    const said = String(vi.mocked(console.log).mock.lastCall![0]);
    expect(said).toMatch(/row 3 {2}its reconstruction \(mean-square error [\d.]+ of first frames of cubes/);
    expect(said).not.toMatch(/row 4|not trained/);
    const pictures = ['picture.png', 'pixels.png'].map((name) => sharp(at(name)).raw().toBuffer());
    const [differences, pixels] = (await Promise.all(pictures)) as [Buffer, Buffer];
    const column = (frame: number) => frame * (SIZE + GAP);
    const width = CLIP_FRAMES * SIZE + 3 * GAP;
    const rows = (data: Buffer, top: number, frame: number) =>
      Array.from({ length: SIZE }, (_, y) =>
        data.subarray(
          ((top + y) * width + column(frame)) * 3,
          ((top + y) * width + column(frame) + SIZE) * 3,
        ),
      );
    // Both models predict the same of first frames; of second ones, 0.8 − 0.4 and −0.4 deviations from the mean.
    expect(rows(pixels, 74, 0)).toEqual(rows(differences, 108, 0));
    expect(rows(pixels, 74, 1)).not.toEqual(rows(differences, 108, 1));
  });

  it('says what a model was not trained to predict', async () => {
    await writeConstantModel(at('motion.safetensors'), { lossWeight: 0 });
    await run('video', { checkpoint: at('motion.safetensors'), out: at('motion.png') });
    expect(vi.mocked(console.log).mock.lastCall![0]).toContain('was not trained to predict appearance');
  });

  it('cuts clips as in training, and leaves out the predictions where that is asked for', async () => {
    await writeConstantModel(at('trained.safetensors'), { clips: { frameStep: 1, crop: 'voxceleb' } });
    const checkpoint = at('trained.safetensors');
    const unasked = { checkpoint, frameStep: undefined, crop: undefined };
    await run('video', { ...unasked, out: at('trained.png') });
    const said = String(vi.mocked(console.log).mock.lastCall![0]);
    expect(said).toContain('(frame step 1, crop voxceleb, mask type window)');
    await run('video', {
      checkpoint,
      frameStep: 1,
      crop: 'voxceleb',
      predictionRow: false,
      out: at('few.png'),
    });
    const [all, few] = await Promise.all(
      ['trained.png', 'few.png'].map((name) => sharp(at(name)).raw().toBuffer({ resolveWithObject: true })),
    );
    expect(all!.info.height - few!.info.height).toBe(SIZE + GAP);
    const band = (picture: typeof all, bottom: number) =>
      picture!.data.subarray((picture!.info.height - bottom) * picture!.info.width * 3);
    expect(band(few, SIZE)).toEqual(band(all, SIZE));
    await run('video', { ...unasked, crop: 'none', out: at('none.png') });
    expect(await readFile(at('none.png'))).not.toEqual(await readFile(at('trained.png')));
  });

  it('puts several videos below each other, with words', async () => {
    const defaulted = { ...defaults(), maskType: 'tube' as const };
    await reconstruct([at('video'), at('short')], { ...defaulted, out: at('two.png') });
    const said = String(vi.mocked(console.log).mock.lastCall![0]);
    expect(said).toMatch(
      /video:\nrow 1 [^]*short:\nrow 1 [^]*mask type tube|mask type tube[^]*video:\nrow 1 /,
    );
    expect(said).toContain('In training each region had as many visible positions');
    await reconstruct([at('video'), at('short')], { ...defaulted, captions: true, out: at('words.png') });
    const [plain, words] = await Promise.all(
      ['two.png', 'words.png'].map((name) => sharp(at(name)).raw().toBuffer({ resolveWithObject: true })),
    );
    const [wide, high] = [words!.info.width - plain!.info.width, words!.info.height - plain!.info.height];
    expect([wide > 80, high > 30]).toEqual([true, true]);
    const line = (picture: typeof plain, y: number, left: number) =>
      picture!.data.subarray((y * picture!.info.width + left) * 3, (y + 1) * picture!.info.width * 3);
    expect(line(words, high / 2, wide)).toEqual(line(plain, 0, 0));
    const last = (picture: typeof plain, left: number) => line(picture, picture!.info.height - 1, left);
    expect(last(words, wide)).toEqual(last(plain, 0));
    // Somewhere in the margin is a word.
    const margin = Array.from({ length: 60 }, (_, y) => line(words, y, 0).subarray(0, wide * 3));
    expect(margin.some((bytes) => bytes.some((value) => value < 100))).toBe(true);
  });

  it('masks tubes for a ViT, which has no windows', async () => {
    await writeConstantModel(at('vit.safetensors'), { encoder: vitBase(shape) });
    const checkpoint = at('vit.safetensors');
    await run('video', { checkpoint, out: at('vit.png') });
    expect(vi.mocked(console.log).mock.lastCall![0]).toContain('mask type tube');
    const windows = run('video', { checkpoint, maskType: 'window' });
    await expect(windows).rejects.toThrow('--mask-type: "window" cannot be used; expected tube for a ViT');
  });

  it('reconstructs with published weights of pre-training', async () => {
    await writeFile(at('published.pth'), publishedArchive());
    const unasked = { frameStep: undefined, crop: undefined, captions: true };
    await run('video', { ...unasked, checkpoint: at('published.pth'), out: at('published.png') });
    const said = String(vi.mocked(console.log).mock.lastCall![0]);
    expect(said).toContain('each of 16 frames (frame step 4, crop voxceleb, mask type window)');
    expect(said).toMatch(/row 4 {2}its reconstruction, differences added/);
    await writeFile(at('broken.pth'), 'no checkpoint');
    await expect(run('video', { checkpoint: at('broken.pth') })).rejects.toThrow(UserError);
    await expect(run('video', { checkpoint: at('nowhere.pth') })).rejects.toThrow(CheckpointReadError);
  });

  it('draws the masks by the seed', async () => {
    const pictures: Buffer[] = [];
    for (const seed of [7, 7, 8]) {
      await run('video', { seed, out: at('seeded.png') });
      pictures.push(await readFile(at('seeded.png')));
    }
    expect(pictures[1]).toEqual(pictures[0]);
    expect(pictures[2]).not.toEqual(pictures[0]);
  });

  it('refuses a picture that is not a PNG or has no folder, before anything else', async () => {
    await expect(run('video', { out: at('picture.jpg') })).rejects.toThrow(OptionError);
    const error = run('missing', { out: at('no', 'folder', 'p.png') });
    await expect(error).rejects.toThrow(PictureFolderError);
    await expect(error).rejects.toThrow(at('no', 'folder'));
  });

  it('refuses a share that masks nothing', async () => {
    const error = run('video', { maskRatios: [0.9, 0.2] });
    await expect(error).rejects.toThrow(OptionError);
    await expect(error).rejects.toThrow('0.2 cannot be used; expected shares of at least 0.250');
    // The least share that masks a position is let through to the video.
    await expect(run('nowhere.mp4', { maskRatios: [0.25] })).rejects.toThrow(VideoDecodeError);
  });

  it('refuses a text file as video, and one that is not there', async () => {
    await writeFile(at('notes.mp4'), 'These are words, not pictures.\n');
    await expect(run('notes.mp4')).rejects.toThrow(VideoDecodeError);
    await expect(run('nowhere.mp4')).rejects.toThrow(VideoDecodeError);
  });

  it('repeats the last frame of a video shorter than a clip, and says so', async () => {
    await run('short');
    const said = () => String(vi.mocked(console.log).mock.lastCall![0]);
    expect(said()).toMatch(
      /short has 7 frames: from column 3 on the clip repeats one, as in training\. .*--frame-step below 2/,
    );
    await run('short', { frameStep: 1 });
    expect(said()).not.toContain('repeats');
    await run('video', { frameStep: 1, startSeconds: 0.3 });
    expect(said()).toMatch(
      /repeats one, as in training\. For more of it give an earlier --start-seconds\.$/m,
    );
    await expect(run('video', { startSeconds: 1000 })).rejects.toThrow(VideoDecodeError);
  });

  it('refuses a checkpoint that is missing, cut short, or of something else', async () => {
    await expect(run('video', { checkpoint: at('nothing') })).rejects.toThrow(CheckpointReadError);
    const bytes = await readFile(at('bias.safetensors'));
    await writeFile(at('cut.safetensors'), bytes.subarray(0, bytes.length - 1000));
    await expect(run('video', { checkpoint: at('cut.safetensors') })).rejects.toThrow(CheckpointCorruptError);
    await saveCheckpoint(at('other.safetensors'), { tensors: new Map(), metadata: {} });
    const error = run('video', { checkpoint: at('other.safetensors') });
    await expect(error).rejects.toThrow(UserError);
    await expect(error).rejects.toThrow('not a checkpoint of pre-training');
  });

  it('refuses other regions than those of its checkpoint', async () => {
    await expect(run('video', { region: [1, 1, 1] })).rejects.toThrow(
      /^--region: .*expected .*as the checkpoint says/,
    );
  });

  it('takes the GPU that is asked for', async () => {
    await expect(run('video', { gpu: 99 })).rejects.toThrow(GpuChoiceError);
  });
});
