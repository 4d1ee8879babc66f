import { appendFileSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, describe, expect, it } from 'vitest';
import { looksWhole } from './whole-image.js';

const folder = mkdtempSync(join(tmpdir(), 'tubelet-whole-'));
const at = (name: string) => join(folder, name);
afterAll(() => rmSync(folder, { recursive: true }));

const image = sharp({ create: { width: 40, height: 30, channels: 3, background: '#c86432' } });

describe.each(['jpeg', 'png'] as const)('a %s', (format) => {
  it('is whole as it is written, under another name, and with a few bytes behind it', async () => {
    const path = at(`whole.${format}`);
    await image.clone().toFormat(format).toFile(path);
    expect(await looksWhole(path)).toBe(true);
    appendFileSync(path, Buffer.alloc(20));
    expect(await looksWhole(path)).toBe(true);
    await image.clone().toFormat(format).toFile(at('odd-name'));
    expect(await looksWhole(at('odd-name'))).toBe(true);
  });

  it('is not when it is cut short', async () => {
    const path = at(`cut.${format}`);
    const { size } = await image.clone().toFormat(format).toFile(path);
    truncateSync(path, size - 12);
    expect(await looksWhole(path)).toBe(false);
    truncateSync(path, 2);
    expect(await looksWhole(path)).toBe(false);
    truncateSync(path, 0);
    expect(await looksWhole(path)).toBe(false);
  });
});

it('other files are none', async () => {
  writeFileSync(at('text.jpg'), 'no image, whatever its name says, and longer than what is looked at');
  expect(await looksWhole(at('text.jpg'))).toBe(false);
});
