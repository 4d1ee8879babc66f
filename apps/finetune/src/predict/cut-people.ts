/** Faces that are cut while videos are being answered, one clip for each person. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { classColour } from '@tubelet/trainer';
import {
  DecoderPool,
  defaultWorkerCount,
  drawFaces,
  encodeVideo,
  FACE_SIZE,
  findPeople,
  forEachConcurrently,
  NoReadableVideoError,
  openFaceDetector,
  VideoDecodeError,
  writeFaces,
  type BadFile,
  type FaceDetector,
  type FaceTrack,
  type TestVideo,
} from '@tubelet/video';

/** A person in a video. */
export interface CutPerson<Video> {
  readonly video: Video;
  /** Folder of the aligned faces, there until `remove`. */
  readonly path: string;
  /** Counted from 1, whoever is seen largest and longest first. */
  readonly person: number;
  /** People in the video. */
  readonly people: number;
  readonly track: FaceTrack;
}

export interface CutPeople<Video> {
  /** In the order of the videos. */
  readonly people: readonly CutPerson<Video>[];
  /** Removes the faces. */
  remove(): void;
}

export interface CutPeopleOptions {
  readonly workers?: number;
  /** Told of each video that cannot be decoded or shows no face. */
  readonly onBadFile: (file: BadFile) => void;
  readonly note: (line: string) => void;
  /** Gives the detector; for tests. */
  readonly open?: typeof openFaceDetector;
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Makes a folder for faces, which also goes when a signal ends the program: they are pictures of people. */
function makeFolder(): { readonly folder: string; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'tubelet-people-'));
  const remove = () => {
    for (const signal of SIGNALS) process.off(signal, end);
    rmSync(folder, { recursive: true, force: true });
  };
  const end = (signal: NodeJS.Signals) => {
    remove();
    process.kill(process.pid, signal);
  };
  for (const signal of SIGNALS) process.on(signal, end);
  return { folder, remove };
}

/**
 * Cuts the faces of all people of videos.
 *
 * @throws NoReadableVideoError when there is no face in any of them; FaceDetectorError
 */
export async function cutPeople<Video extends TestVideo>(
  videos: readonly Video[],
  { workers = defaultWorkerCount(), onBadFile, note, open = openFaceDetector }: CutPeopleOptions,
): Promise<CutPeople<Video>> {
  const { folder, remove } = makeFolder();
  const perVideo: CutPerson<Video>[][] = videos.map(() => []);
  try {
    const detector: FaceDetector = await open(note, workers);
    const pool = await DecoderPool.open({ workers });
    try {
      await forEachConcurrently(videos, workers, async (video, index) => {
        try {
          const info = await pool.probe(video.path, video.member);
          const tracks = await findPeople(pool, info, detector);
          if (tracks.length === 0) throw new VideoDecodeError(video.path, 'no face was found in it');
          const folders = tracks.map((_, person) => join(folder, `${index}-${person + 1}`));
          await writeFaces(pool, info, tracks, folders, FACE_SIZE);
          perVideo[index] = tracks.map((track, i) => ({
            ...{ video, path: folders[i]!, person: i + 1, people: tracks.length, track },
          }));
        } catch (error) {
          if (!(error instanceof VideoDecodeError)) throw error;
          onBadFile({ path: video.path, reason: error.reason });
        }
      });
    } finally {
      await pool.close();
      await detector.close();
    }
    const people = perVideo.flat();
    if (people.length === 0)
      throw new NoReadableVideoError(
        `No face was found in any of the ${videos.length} videos; the reasons are given above. Videos that are faces ` +
          'already need no --crop face.',
      );
    return { people, remove };
  } catch (error) {
    remove();
    throw error;
  }
}

/** What a video with frames around its faces says of a person. */
export interface PersonAnswer {
  readonly track: FaceTrack;
  readonly text: string;
}

/**
 * Writes a video with frames around its faces and answers above them.
 *
 * @throws VideoDecodeError, VideoEncodeError
 */
export async function writeFacesVideo(
  path: string,
  video: TestVideo,
  answers: readonly PersonAnswer[],
): Promise<void> {
  const pool = await DecoderPool.open({ workers: 1 });
  try {
    const info = await pool.probe(video.path, video.member);
    const { frames, width, height } = drawFaces(
      pool,
      info,
      answers.map((answer, person) => ({ ...answer, colour: classColour(person) })),
    );
    await encodeVideo(path, frames, { width, height, framesPerSecond: info.framesPerSecond });
  } finally {
    await pool.close();
  }
}
