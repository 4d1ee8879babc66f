/** VoxCeleb2 (Chung et al., 2018) as its owners distribute it: where its clips lie, and how many there are. */
import { readdirSync, statSync, type Dirent } from 'node:fs';
import { join } from 'node:path';
import type { DatasetProblem } from '../datasets/dataset.js';

/** The development part is what the paper pre-trains on. */
export const VOXCELEB2_PARTS = ['dev', 'test'] as const;
export type Voxceleb2Part = (typeof VOXCELEB2_PARTS)[number];

/** How many people, videos and clips a part holds. */
export interface Voxceleb2Counts {
  readonly people: number;
  readonly videos: number;
  readonly clips: number;
}

/** As published (Chung et al., 2018, Table 2). */
export const VOXCELEB2_COUNTS: Readonly<Record<Voxceleb2Part, Voxceleb2Counts>> = {
  dev: { people: 5994, videos: 145_569, clips: 1_092_009 },
  test: { people: 118, videos: 4911, clips: 36_237 },
};

/** What is expected on the disk, in words. */
export const VOXCELEB2_LAYOUT =
  'dev/mp4/id00012/21Uxsk56VDQ/00001.mp4 (what vox2_dev_mp4_partaa … partai, put together, unpack to) and ' +
  'test/mp4/id00017/01dfn2spqyE/00001.mp4 (vox2_test_mp4.zip, which unpacks to mp4); vox2_meta.csv beside dev and ' +
  'test says which people belong to which part, and need not be there';

/** The folder of a part, relative to that of the data set. */
export const partFolder = (part: Voxceleb2Part) => `${part}/mp4`;

/** Whether a path is that of a clip in VoxCeleb2's layout: a person, a video, a number of five digits. */
export const isVoxceleb2Path = (path: string) => /[/\\]id\d{5}[/\\][\w-]{11}[/\\]\d{5}\.mp4$/.test(path);

/** What lies in the folder of a part. */
export interface Voxceleb2Listing {
  /** Sorted, with all that have a folder. */
  readonly people: readonly string[];
  readonly videos: number;
  /** Of all clips, relative to the folder of the data set, with `/`, sorted. */
  readonly clips: readonly string[];
  readonly emptyFolders: readonly DatasetProblem[];
  /** Files and folders whose names are not of VoxCeleb2. */
  readonly strays: readonly DatasetProblem[];
}

const LEVELS = [
  { name: /^id\d{5}$/, folder: true, what: 'the folder of a person, such as id00012' },
  { name: /^[\w-]{11}$/, folder: true, what: 'the folder of a video, such as 21Uxsk56VDQ' },
  { name: /^\d{5}\.mp4$/, folder: false, what: 'a clip, such as 00001.mp4' },
] as const;

const isFolder = (entry: Dirent, path: string) =>
  entry.isSymbolicLink()
    ? (statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false)
    : entry.isDirectory();

/** Lists a part by names alone; undefined where its folder is not there. */
export function listVoxceleb2(root: string, part: Voxceleb2Part): Voxceleb2Listing | undefined {
  const top = partFolder(part);
  if (!statSync(join(root, top), { throwIfNoEntry: false })?.isDirectory()) return undefined;
  const [people, clips]: string[][] = [[], []];
  let videos = 0;
  const emptyFolders: DatasetProblem[] = [];
  const strays: DatasetProblem[] = [];

  /** Whether there is a clip below. */
  const walk = (id: string, depth: 0 | 1 | 2): boolean => {
    const { name, folder, what } = LEVELS[depth];
    const path = join(root, id);
    const before = clips!.length;
    const entries = readdirSync(path, { withFileTypes: true });
    entries.sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const entry of entries) {
      if (entry.name.startsWith('.')) continue;
      const below = `${id}/${entry.name}`;
      if (!name.test(entry.name) || isFolder(entry, join(path, entry.name)) !== folder) {
        strays.push({
          where: below,
          problem: `it is not ${what}`,
          remedy:
            'Nothing need be done: it is not read. Clips under other names were made or moved by somebody',
        });
      } else if (depth === 2) clips!.push(below);
      else {
        if (depth === 0) people!.push(entry.name);
        else videos++;
        if (!walk(below, depth === 0 ? 1 : 2)) {
          emptyFolders.push({
            where: below,
            problem: 'there is no clip in it',
            remedy: 'Extract it again: the archive was not unpacked to its end, or clips were moved',
          });
        }
      }
    }
    return clips!.length > before;
  };
  walk(top, 0);
  return { people: people!, videos, clips: clips!, emptyFolders, strays };
}
