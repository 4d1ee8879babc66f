/** Cuts the faces of a data set out of its videos, one person of each. */
import { appendFileSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import {
  createCounter,
  debugOption,
  option,
  OptionError,
  optionSet,
  stopOnSignals,
  UserError,
  type Counter,
  type ValuesOfSet,
} from '@tubelet/trainer';
import { writeTextFile } from '@tubelet/trainer/formats';
import {
  contactSheet,
  DecoderPool,
  defaultWorkerCount,
  FACE_SIZE,
  findMainPerson,
  forEachConcurrently,
  imageToJpg,
  listVideos,
  openFaceDetector,
  VideoDecodeError,
  wholeFrames,
  writeFaces,
  type FaceDetector,
  type SheetRow,
} from '@tubelet/video';
import { facePlace, requireApart, type FaceJob, type FaceSet } from './faces-layout.js';
import { intoFolder, terminal, type Terminal } from '../shared/output.js';

/** The options of `data faces`. */
export const facesOptions = optionSet({
  'Options:': {
    root: option.text('<dir>', 'the folder of the videos, as their owners distribute them'),
    out: option.text(
      '<dir>',
      'folder for the faces, faces.jsonl and the contact sheets cut.jpg and failed.jpg',
    ),
    size: option.whole('<px>', 'edge of the faces, in pixels', { min: 16 }).default(FACE_SIZE),
    workers: option.whole('<n>', 'videos at once (default: one for each processor but one)').optional(),
    resume: option.flag(
      'continue in --out where data faces was stopped or killed; what failed is tried again',
    ),
    ...debugOption,
  },
});

export type DataFacesOptions = Readonly<Omit<ValuesOfSet<typeof facesOptions>, 'debug'>> & {
  readonly set: FaceSet;
};

/** A line of faces.jsonl. */
export type FacesRecord =
  | {
      readonly source: string;
      readonly outcome: 'cut';
      /** Relative to --out. */
      readonly folder: string;
      readonly frames: number;
      /** Frames of the video in which the person is not to be seen. */
      readonly missing: number;
      /** Frames across which the face was carried without being found. */
      readonly bridged: number;
      /** People in the video, the one who was cut among them. */
      readonly people: number;
      /** Mean edge of what was cut, in pixels of the video. */
      readonly side: number;
      /** Edge of the faces, in pixels; earlier versions did not write it. */
      readonly size?: number;
      readonly score: number;
    }
  | { readonly source: string; readonly outcome: 'failed'; readonly reason: string };

type CutRecord = FacesRecord & { readonly outcome: 'cut' };

const RESUMING = 'go on with --resume';
const RECORDS = 'faces.jsonl';
/** Rows of a contact sheet, and faces in each. */
const SHEET_ROWS = 60;
const SHEET_FACES = 6;
/** Faces cut from fewer pixels are mostly invented by enlarging them. */
const SMALL_SIDE = 64;

/** What an earlier run has cut and is still there. */
function earlierRecords(out: string): CutRecord[] {
  const file = join(out, RECORDS);
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((line) => {
      try {
        return [JSON.parse(line) as FacesRecord];
      } catch {
        // The last line of a run that was killed.
        return [];
      }
    })
    .filter((record) => record.outcome === 'cut')
    .filter(({ folder }) => existsSync(join(out, folder)));
}

/**
 * Which videos go where.
 *
 * @param results folders that earlier runs have made, which are no videos; they may lie below --root
 * @throws UserError where none belongs to the data set, or faces would take the place of something else
 */
async function planJobs(
  options: DataFacesOptions,
  results: ReadonlySet<string>,
  io: Terminal,
): Promise<FaceJob[]> {
  const { set, root } = options;
  const { entries: found, skipped } = await listVideos(root);
  const entries = found.filter(({ path }) => !results.has(path));
  // Of a list, and of a video, the folder that it lies in.
  const isFile = statSync(root, { throwIfNoEntry: false })?.isFile() === true;
  const base = isFile ? dirname(resolve(root)) : resolve(root);
  const jobs = new Map<string, FaceJob>();
  const reasons = new Map<string, { count: number; example: string }>();
  const leaveOut = (reason: string, example: string) =>
    reasons.set(reason, { example, count: (reasons.get(reason)?.count ?? 0) + 1 });
  for (const { path, reason } of skipped) leaveOut(reason, path);
  for (const { path } of entries) {
    const place = facePlace(set, base, path);
    if ('leftOut' in place) leaveOut(place.leftOut, path);
    else if (jobs.has(place.folder)) leaveOut(`a second video for ${place.folder}`, path);
    else jobs.set(place.folder, { source: path, folder: place.folder });
  }
  for (const [reason, { count, example }] of reasons)
    io.note(`leaving out ${count} such as ${example}: ${reason}`);
  if (jobs.size === 0)
    throw new UserError(
      `${root} holds no video of ${set}: \`tubelet data faces --help\` says what it should hold`,
    );
  requireApart(
    jobs.values(),
    entries.map(({ path }) => path),
    options,
  );
  return [...jobs.values()];
}

/** What the work on all videos shares. */
interface Shop {
  readonly pool: DecoderPool;
  readonly detector: FaceDetector;
  readonly out: string;
  readonly size: number;
}

async function cutOne(
  { source, folder }: FaceJob,
  { pool, detector, out, size }: Shop,
): Promise<FacesRecord> {
  const info = await pool.probe(source);
  const { track, people } = await findMainPerson(pool, info, detector);
  await intoFolder(out, () => writeFaces(pool, info, [track], [join(out, folder)], size), RESUMING);
  const { frames, bridged, score } = track;
  const side = frames.reduce((sum, one) => sum + one.side, 0) / frames.length;
  return {
    ...{ source, outcome: 'cut', folder, frames: frames.length, missing: info.frameCount - frames.length },
    ...{ bridged, people, side: Math.round(side), size, score: Number(score.toFixed(3)) },
  };
}

/** The middle frame of a video, for the sheet of what failed; nothing where it cannot be decoded. */
async function middleFrame({ pool }: Shop, source: string): Promise<Buffer[]> {
  try {
    const info = await pool.probe(source);
    for await (const { image } of wholeFrames(pool, info, [info.frameCount >> 1]))
      return [await imageToJpg(image)];
  } catch (error) {
    if (!(error instanceof VideoDecodeError)) throw error;
  }
  return [];
}

/** As many as fit on a sheet, spread evenly. */
const spread = <T>(all: readonly T[], count: number): T[] =>
  all.length <= count
    ? [...all]
    : Array.from({ length: count }, (_, i) => all[Math.floor((i * all.length) / count)]!);

function cutRow(out: string, record: CutRecord): SheetRow {
  const { folder, frames, missing, bridged, people, side } = record;
  const names = spread(readdirSync(join(out, folder)).sort(), SHEET_FACES);
  const text = [folder, `${frames} frames of ${side} px`];
  if (missing + bridged > 0) text.push(`${missing} frames without, ${bridged} bridged`);
  if (people > 1) text.push(`one of ${people} people`);
  return { text, images: names.map((name) => join(out, folder, name)) };
}

/** What somebody should look at, one line each. */
function remarks(records: readonly FacesRecord[]): string[] {
  const cut = records.filter((record) => record.outcome === 'cut');
  const remark = (what: string, doubtful: typeof cut) =>
    doubtful.length === 0 ? [] : [`${what}: ${doubtful.length} videos, such as ${doubtful[0]!.source}`];
  return [
    ...remark(
      'several people, of whom the most present was cut',
      cut.filter(({ people }) => people > 1),
    ),
    ...remark(
      'frames without the person were left out',
      cut.filter(({ missing }) => missing > 0),
    ),
    ...remark(
      'the face was not found in a fifth of the frames or more, and its place was interpolated',
      cut.filter(({ bridged, frames }) => bridged >= frames / 5),
    ),
    ...remark(
      `faces of less than ${SMALL_SIDE} px, enlarged`,
      cut.filter(({ side }) => side < SMALL_SIDE),
    ),
  ];
}

/**
 * Cuts the faces of a data set.
 *
 * @param open gives the detector
 * @throws UserError when there is nothing to cut, or not one face was found; errors of the detector
 */
export async function dataFaces(
  options: DataFacesOptions,
  io: Terminal = terminal,
  open: (say: (line: string) => void, workers: number) => Promise<FaceDetector> = openFaceDetector,
  counter: Counter = createCounter('videos'),
): Promise<void> {
  const { out, size, resume, workers = defaultWorkerCount() } = options;
  if (!resume && existsSync(join(out, RECORDS)))
    throw new OptionError('--out', out, 'another folder, or --resume: faces were cut into this one');
  const earlier = earlierRecords(out);
  const other = earlier.find((record) => (record.size ?? size) !== size)?.size;
  if (other !== undefined)
    throw new OptionError('--size', size, `${other}, the size of the faces in ${out}, or another --out`);
  // The contact sheets make --out look like a folder of frames.
  const results = new Set(resume ? [resolve(out), ...earlier.map(({ folder }) => resolve(out, folder))] : []);
  const jobs = await planJobs(options, results, io);
  const records: FacesRecord[] = [...earlier];
  const done = new Set(records.map(({ source }) => source));
  const left = jobs.filter(({ source }) => !done.has(source));
  io.note(`videos: ${jobs.length}${resume ? `, of which ${jobs.length - left.length} are done` : ''}`);
  // In one step: a full disk must not take away what is known of earlier faces.
  await writeTextFile(join(out, RECORDS), records.map((record) => `${JSON.stringify(record)}\n`).join(''));

  const detector = await open(io.note, workers);
  const stop = stopOnSignals(io.note, 'finishing the videos under way');
  const failedRows: SheetRow[] = [];
  try {
    const pool = await DecoderPool.open({ workers });
    const shop = { pool, detector, out, size };
    try {
      let count = 0;
      await forEachConcurrently(left, workers, async (job) => {
        if (stop.requested) return;
        let record: FacesRecord;
        try {
          record = await cutOne(job, shop);
        } catch (error) {
          if (!(error instanceof VideoDecodeError)) throw error;
          const { reason } = error;
          record = { source: job.source, outcome: 'failed', reason };
          counter.note(`failed: ${job.source}: ${reason}`);
          if (failedRows.length < SHEET_ROWS)
            failedRows.push({ text: [job.source, reason], images: await middleFrame(shop, job.source) });
        }
        records.push(record);
        const line = `${JSON.stringify(record)}\n`;
        await intoFolder(out, () => appendFileSync(join(out, RECORDS), line), RESUMING);
        counter.update(++count, left.length);
      });
    } finally {
      await pool.close();
    }
  } finally {
    counter.stop();
    stop.dispose();
    await detector.close();
  }
  const cut = records.filter((record) => record.outcome === 'cut');
  const failed = records.length - cut.length;
  const sheet = (name: string, image: Buffer) =>
    intoFolder(out, () => writeFileSync(join(out, name), image), RESUMING);
  if (cut.length > 0)
    await sheet('cut.jpg', await contactSheet(spread(cut, SHEET_ROWS).map((one) => cutRow(out, one))));
  if (failed > 0) await sheet('failed.jpg', await contactSheet(failedRows));
  const lines = [
    `faces of ${cut.length} videos in ${out}; look at ${join(out, 'cut.jpg')}`,
    ...(failed > 0 ? [`failed: ${failed} videos, see ${join(out, 'failed.jpg')} and ${RECORDS}`] : []),
    ...remarks(records),
    ...(records.length < jobs.length ? ['stopped: the same command with --resume goes on from here'] : []),
  ];
  await io.write(`${lines.join('\n')}\n`);
  if (cut.length === 0 && failed > 0)
    throw new UserError(`no face could be cut out of the videos of ${options.root}`);
}
