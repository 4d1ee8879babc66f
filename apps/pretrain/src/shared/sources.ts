/** The videos that a command is given: files and folders, or a data set by its name. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { option, OptionError, UserError, withoutEffect } from '@tubelet/trainer';
import {
  CROP_MODES,
  isVoxceleb2Path,
  listVideos,
  listVoxceleb2,
  VOXCELEB2_COUNTS,
  VOXCELEB2_LAYOUT,
  type CropMode,
  type VideoListing,
} from '@tubelet/video';

/** Data sets that are known by name. */
export const NAMED_SOURCES = ['voxceleb2'] as const;

/** The help of the argument that names videos. */
export const SOURCES_HELP = 'folders, globs, list files or single videos; or voxceleb2 with --root';

/** Where a data set lies that is named. Its place does not decide what a run learns: its clips do. */
export const rootOption = withoutEffect({
  root: option
    .text('<dir>', 'folder of the data set that is named: of VoxCeleb2, that of dev and test')
    .optional(),
});

/** Ends the help of the crop of sources. */
export const CROP_NOTE = '; where all videos lie as VoxCeleb2’s clips do, voxceleb unless given';

/** What the videos are, and how they are read. */
export interface FoundVideos extends VideoListing {
  /** As the report of a run names them. */
  readonly sources: readonly string[];
  /** The crop that was asked for, or else fits the videos. */
  readonly crop: CropMode;
  /** The crop that frames a video outside of shards as these clips are framed. */
  readonly shownCrop: CropMode;
  /** Lines about what was decided, for people. */
  readonly notes: readonly string[];
}

export interface SourceOptions {
  readonly root?: string;
  readonly crop: CropMode;
}

const isNamed = (source: string) => (NAMED_SOURCES as readonly string[]).includes(source);

const isTestClip = (path: string) => isVoxceleb2Path(path) && /[/\\]test[/\\]mp4[/\\]id\d{5}[/\\]/.test(path);

/**
 * The development part of VoxCeleb2.
 *
 * @throws UserError where it is not there
 */
function listDevelopmentPart(root: string): VideoListing & { note: string } {
  const folder = resolve(root);
  const listing = listVoxceleb2(folder, 'dev');
  if (listing === undefined || listing.clips.length === 0) {
    throw new UserError(
      `${root} does not hold the development part of VoxCeleb2: expected is ${VOXCELEB2_LAYOUT}. ` +
        `\`tubelet data check voxceleb2 --root ${root}\` says what is missing.`,
    );
  }
  const { clips, strays } = listing;
  const all = VOXCELEB2_COUNTS.dev.clips;
  const part =
    clips.length === all
      ? 'all of it'
      : `of ${all.toLocaleString('en')}: \`tubelet data check voxceleb2\` says what is missing`;
  return {
    entries: clips.map((id) => ({ path: `${folder}/${id}` })),
    skipped: strays.map(({ where, problem }) => ({ path: `${folder}/${where}`, reason: problem })),
    note: `VoxCeleb2, development part: ${clips.length.toLocaleString('en')} clips, ${part}`,
  };
}

/**
 * Finds the videos of `sources`, and the crop for them: that of VoxCeleb2 where all of them lie as its clips do.
 *
 * @param given the options that were given rather than left at their defaults
 * @throws OptionError for --root that fits no source, or one crop for shards, which are cut already, and for videos
 */
export async function findVideos(
  sources: readonly string[],
  { root, crop }: SourceOptions,
  given: ReadonlySet<string>,
): Promise<FoundVideos> {
  const notes: string[] = [];
  let listing: VideoListing;
  if (root !== undefined) {
    if (sources.length !== 1 || !isNamed(sources[0]!)) {
      throw new OptionError(
        '--root',
        root,
        `the folder of a data set whose name is the one source: ${NAMED_SOURCES.join(', ')}`,
      );
    }
    const { note, ...found } = listDevelopmentPart(root);
    notes.push(note);
    listing = found;
  } else {
    const name = sources.find((source) => isNamed(source) && !existsSync(source));
    if (name !== undefined)
      throw new UserError(`${name} is the name of a data set: give its folder by --root.`);
    listing = await listVideos(sources);
  }
  const { entries, shardCrop } = listing;
  const testClips = entries.filter(({ path }) => isTestClip(path)).length;
  if (testClips > 0) {
    notes.push(
      `clips of VoxCeleb2’s test part, which the paper does not train on: ${testClips.toLocaleString('en')}; ` +
        '`voxceleb2 --root DIR` in place of their folder is the development part alone',
    );
  }
  const shardClips = entries.filter(({ member }) => member !== undefined).length;
  let fittingCrop = crop;
  if (crop === 'voxceleb' && shardClips > 0) {
    if (shardClips < entries.length) {
      throw new OptionError(
        '--crop',
        crop,
        'shards alone, or no shards: `prepare` has cut their clips already',
      );
    }
    notes.push('crop none in place of voxceleb: `prepare` has cut the clips of shards already');
    fittingCrop = 'none';
  } else if (!given.has('crop') && shardClips === 0 && entries.every(({ path }) => isVoxceleb2Path(path))) {
    notes.push(
      'crop voxceleb: these are clips of VoxCeleb2, whose faces are in the top centre (--crop for another)',
    );
    fittingCrop = 'voxceleb';
  }
  if (shardCrop === 'face') {
    notes.push(
      'the clips of these shards are faces that `prepare` has cut out: a video for --watch or `reconstruct` has to ' +
        'be one that is cut to its face already',
    );
  }
  return {
    ...listing,
    notes,
    crop: fittingCrop,
    shownCrop: CROP_MODES.find((mode) => mode === shardCrop) ?? fittingCrop,
    sources:
      root === undefined ? sources.map((source) => resolve(source)) : [`voxceleb2 in ${resolve(root)}`],
  };
}
