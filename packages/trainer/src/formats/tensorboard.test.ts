import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { pngSize } from './event-encoding.js';
import { TensorBoardWriter } from './tensorboard.js';
import { decodeMessage, inner, readRecords, textOf, type Message } from '../testing/read-events.js';
import { temporaryFolder } from '../testing/temporary-folder.js';

/** A grey PNG of one pixel. */
const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==',
  'base64',
);

async function eventsOf(path: string): Promise<Message[]> {
  return readRecords(await readFile(path)).map(decodeMessage);
}

describe('TensorBoardWriter', () => {
  it('begins with the bytes that every event file begins with', async () => {
    const writer = new TensorBoardWriter(await temporaryFolder(), undefined, () => 1_700_000_000_500);
    writer.close();
    const bytes = await readFile(writer.path);
    expect(bytes.subarray(0, 12).toString('hex')).toBe('1800000000000000a37f4b22');
    const [first] = await eventsOf(writer.path);
    expect(first && textOf(first, 3)).toBe('brain.Event:2');
    expect(first?.get(1)).toEqual([1_700_000_000.5]);
  });

  it('names its file so that TensorBoard finds and orders it', async () => {
    const folder = await temporaryFolder();
    new TensorBoardWriter(folder, undefined, () => 1_700_000_000_500).close();
    expect((await readdir(folder))[0]).toMatch(/^events\.out\.tfevents\.1700000000\..*\.\d+$/);
  });

  it('writes scalars as summaries', async () => {
    const writer = new TensorBoardWriter(await temporaryFolder(), undefined);
    writer.addScalars(3_000_000_000, { loss: 0.5, 'loss/motion': -1e-3, broken: NaN });
    writer.close();
    const event = (await eventsOf(writer.path))[1] as Message;
    expect(event.get(2)).toEqual([3_000_000_000]);
    const summary = inner(event, 5);
    expect(summary.get(1)).toHaveLength(3);
    const values = [0, 1, 2].map((i) => inner(summary, 1, i));
    expect(values.map((value) => textOf(value, 1))).toEqual(['loss', 'loss/motion', 'broken']);
    expect(values.map((value) => value.get(2)?.[0])).toEqual([0.5, Math.fround(-1e-3), NaN]);
  });

  it('writes images with the size that their header states', async () => {
    const writer = new TensorBoardWriter(await temporaryFolder(), undefined);
    writer.addImage(7, 'reconstruction', PNG);
    writer.close();
    const event = (await eventsOf(writer.path))[1] as Message;
    const value = inner(inner(event, 5), 1);
    expect(textOf(value, 1)).toBe('reconstruction');
    const image = inner(value, 4);
    expect([1, 2, 3].map((field) => image.get(field)?.[0])).toEqual([1, 1, 1]);
    expect(Buffer.from(image.get(4)?.[0] as Uint8Array).equals(PNG)).toBe(true);
  });

  it.each([40, 0])('tells TensorBoard that a resumed run goes on after step %d', async (completedSteps) => {
    const writer = new TensorBoardWriter(await temporaryFolder(), completedSteps);
    writer.close();
    const restart = (await eventsOf(writer.path))[1] as Message;
    expect(restart.get(2)).toEqual([completedSteps + 1]);
    expect(inner(restart, 7).get(1)).toEqual([1]);
  });

  it('refuses what is not a PNG', async () => {
    const writer = new TensorBoardWriter(await temporaryFolder(), undefined);
    expect(() => writer.addImage(0, 'x', Uint8Array.of(1, 2, 3))).toThrow('not a PNG');
    expect(() => pngSize(PNG.subarray(0, 20))).toThrow('not a PNG');
    writer.close();
    expect(await eventsOf(writer.path)).toHaveLength(1);
  });

  it('names the folder that it cannot write to', async () => {
    const folder = join(await temporaryFolder(), 'missing');
    expect(() => new TensorBoardWriter(folder, undefined)).toThrow(folder);
  });
});
