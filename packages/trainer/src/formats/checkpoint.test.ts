import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeSafetensors, encodeSafetensors, type SafetensorsTensor } from '@tubelet/autograd/formats';
import { describe, expect, it } from 'vitest';
import { loadCheckpoint, requireTensors, saveCheckpoint, type CheckpointContent } from './checkpoint.js';
import { CheckpointCorruptError, CheckpointMismatchError, CheckpointReadError } from './checkpoint-errors.js';
import { contentOfStep } from '../testing/checkpoint-content.js';
import { temporaryFolder } from '../testing/temporary-folder.js';

const SMALL: CheckpointContent = {
  tensors: new Map<string, SafetensorsTensor>([
    ['weight', { dtype: 'F32', shape: [2, 2], data: Float32Array.of(1, 2, 3, NaN) }],
    ['moment', { dtype: 'F32', shape: [4], data: Float32Array.of(4, 3, 2, 1) }],
    ['half', { dtype: 'F16', shape: [3], data: Uint16Array.of(1, 2, 3) }],
  ]),
  metadata: { step: '7', seed: '0', note: 'a "tubelet.sha256":" inside' },
};

describe('saveCheckpoint and loadCheckpoint', () => {
  it('give back tensors and metadata', async () => {
    const path = join(await temporaryFolder(), 'deep', 'folder', 'a.safetensors');
    const { lengthBytes } = await saveCheckpoint(path, SMALL);
    expect((await readFile(path)).length).toBe(lengthBytes);
    const { tensors, metadata } = await loadCheckpoint(path);
    expect(metadata).toEqual(SMALL.metadata);
    expect(new Map([...tensors].sort())).toEqual(new Map([...SMALL.tensors].sort()));
  });

  it('write the same bytes for the same content, and nothing beside the file', async () => {
    const folder = await temporaryFolder();
    const reversed = { ...SMALL, tensors: new Map([...SMALL.tensors].reverse()) };
    const first = await saveCheckpoint(join(folder, 'a.safetensors'), SMALL);
    const second = await saveCheckpoint(join(folder, 'b.safetensors'), reversed);
    expect(second).toEqual(first);
    expect(await readFile(join(folder, 'a.safetensors'))).toEqual(
      await readFile(join(folder, 'b.safetensors')),
    );
    expect((await readdir(folder)).sort()).toEqual(['a.safetensors', 'b.safetensors']);
  });

  it('replace an older file of the same name', async () => {
    const path = join(await temporaryFolder(), 'a.safetensors');
    await saveCheckpoint(path, contentOfStep(1, 1000));
    await saveCheckpoint(path, SMALL);
    expect((await loadCheckpoint(path)).metadata.step).toBe('7');
  });

  it('write a file that any safetensors reader takes', async () => {
    const path = join(await temporaryFolder(), 'a.safetensors');
    const { sha256 } = await saveCheckpoint(path, SMALL);
    const { tensors, metadata } = decodeSafetensors(await readFile(path));
    expect(tensors.get('half')).toEqual(SMALL.tensors.get('half'));
    expect(metadata).toMatchObject({ step: '7', 'tubelet.sha256': sha256 });
    expect(sha256).toMatch(/^[0-9a-f]{64}$/);
  });

  it('span several parts of a large tensor', async () => {
    const path = join(await temporaryFolder(), 'large.safetensors');
    const large = contentOfStep(3, (1 << 24) / 4 + 5001);
    await saveCheckpoint(path, large);
    const { tensors } = await loadCheckpoint(path);
    const [found, wanted] = [tensors, large.tensors].map((map) => {
      const data = map.get('model.weight')?.data as Float32Array;
      return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    });
    expect(wanted && found?.equals(wanted)).toBe(true);
  });

  it('refuse metadata keys of their own', async () => {
    const content = { ...SMALL, metadata: { 'tubelet.sha256': 'x' } };
    await expect(saveCheckpoint(join(await temporaryFolder(), 'a'), content)).rejects.toThrow('reserved');
  });
});

describe('a damaged checkpoint', () => {
  it('is recognised when it is cut short anywhere', async () => {
    const folder = await temporaryFolder();
    await saveCheckpoint(join(folder, 'whole'), SMALL);
    const bytes = await readFile(join(folder, 'whole'));
    const path = join(folder, 'cut');
    for (let length = 0; length < bytes.length; length += 7) {
      await writeFile(path, bytes.subarray(0, length));
      const error = await loadCheckpoint(path).catch((thrown: unknown) => thrown);
      expect(error, `${length} bytes`).toBeInstanceOf(CheckpointCorruptError);
      expect((error as Error).message).toContain(path);
    }
  });

  it('is recognised when any single bit has changed', async () => {
    const folder = await temporaryFolder();
    await saveCheckpoint(join(folder, 'whole'), SMALL);
    const bytes = await readFile(join(folder, 'whole'));
    const path = join(folder, 'flipped');
    for (let i = 0; i < bytes.length; i++) {
      const flipped = Buffer.from(bytes);
      flipped[i] = (flipped[i] ?? 0) ^ (1 << (i % 8));
      await writeFile(path, flipped);
      await expect(loadCheckpoint(path), `byte ${i}`).rejects.toBeInstanceOf(CheckpointCorruptError);
    }
  });

  it('is told apart from files of other kinds', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'text'), 'this is a text file that somebody renamed');
    await expect(loadCheckpoint(join(folder, 'text'))).rejects.toBeInstanceOf(CheckpointCorruptError);
    await writeFile(join(folder, 'plain'), encodeSafetensors(SMALL.tensors));
    await expect(loadCheckpoint(join(folder, 'plain'))).rejects.toThrow('not a checkpoint of a run');
    await mkdir(join(folder, 'directory'));
    await expect(loadCheckpoint(join(folder, 'directory'))).rejects.toBeInstanceOf(CheckpointReadError);
    await expect(loadCheckpoint(join(folder, 'none'))).rejects.toThrow('there is no such file');
    await expect(loadCheckpoint(join(folder, 'none'))).rejects.toBeInstanceOf(CheckpointReadError);
  });

  it('of a later format is refused with both versions', async () => {
    const path = join(await temporaryFolder(), 'later');
    const metadata = { 'tubelet.checkpoint': '2', 'tubelet.sha256': '0'.repeat(64) };
    await writeFile(path, encodeSafetensors(SMALL.tensors, metadata));
    await expect(loadCheckpoint(path)).rejects.toThrow('format version is 2; this program reads 1');
  });
});

describe('requireTensors', () => {
  const f32 = (...shape: number[]) => ({ dtype: 'F32' as const, shape });

  it('accepts the expected tensors', () => {
    const tensors = new Map([
      ['a', f32(2, 3)],
      ['b', f32()],
    ]);
    expect(() => requireTensors('c', tensors, new Map([...tensors].reverse()))).not.toThrow();
  });

  it('lists what is missing, unexpected and different', () => {
    const expected = new Map(
      [...'abcdefgh'].map((key) => [key, f32(4)] as const).concat([['size', f32(2, 8)]]),
    );
    const found = new Map([
      ['h', f32(4)],
      ['size', f32(2, 4)],
      ['extra', f32(1)],
    ]);
    let error: unknown;
    try {
      requireTensors('run/x.safetensors', found, expected);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(CheckpointMismatchError);
    expect(error).toMatchObject({
      missing: [...'abcdefg'],
      unexpected: ['extra'],
      different: [{ key: 'size', expected: 'F32 [2, 8]', found: 'F32 [2, 4]' }],
    });
    expect((error as Error).message).toContain('run/x.safetensors');
    expect((error as Error).message).toContain('7 missing: a, b, c, d, e and 2 more');
    expect((error as Error).message).toContain('size (expected F32 [2, 8], found F32 [2, 4])');
  });
});
