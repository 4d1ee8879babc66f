import { describe, expect, it } from 'vitest';
import { videosFingerprint } from './train-data.js';

describe('videosFingerprint', () => {
  const of = (...paths: string[]) => videosFingerprint(paths.map((path) => ({ path })));

  it('is the same wherever the folder lies', () => {
    expect(of('/a/x.mp4', '/a/b/y.mp4')).toBe(of('/mnt/c/x.mp4', '/mnt/c/b/y.mp4'));
    expect(of('/a/x.mp4', '/a/b/y.mp4')).toMatch(/^2 videos, [0-9a-f]{16}$/);
  });

  it('changes with the number, the names and the order of the videos', () => {
    const lists = [['/a/x'], ['/a/y'], ['/a/x', '/a/y'], ['/a/y', '/a/x'], ['/a/x', '/a/b/y']];
    expect(new Set(lists.map((list) => of(...list))).size).toBe(lists.length);
  });
});
