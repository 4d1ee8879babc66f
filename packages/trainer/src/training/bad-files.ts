import type { BadFile } from '@tubelet/video';
import type { Progress } from '../program/progress.js';
import type { RunFolder } from '../run/run-folder.js';

/** A folder may hold thousands of files that are not videos: the first few stand for all of them. */
const LISTED = 5;

/** Tells the user of the files that cannot be used, and the log of the run as soon as there is one. */
export class BadFiles {
  private readonly files: BadFile[] = [];
  private readonly reported = new Set<string>();
  private fresh: BadFile[] = [];
  private write: ((file: BadFile) => void) | undefined;

  /** @param logged whether the program keeps a log, in which all of them will be found */
  constructor(
    private readonly progress: Pick<Progress, 'note'>,
    private readonly logged = true,
  ) {}

  get count(): number {
    return this.files.length;
  }

  /** Files whose names are not those of videos, and missing files. */
  leaveOut(files: readonly BadFile[]): void {
    for (const file of files) {
      this.reported.add(file.path);
      this.record(file);
    }
    for (const { path, reason } of files.slice(0, LISTED))
      this.progress.note(`leaving out ${path}: ${reason}`);
    const more = files.length - LISTED;
    const where = this.logged ? '; the log of the run names them all' : '';
    if (more > 0) this.progress.note(`leaving out ${more} more${where}`);
  }

  /** A video that cannot be decoded; told of once, however often it is tried. */
  report = (file: BadFile): void => {
    if (this.reported.has(file.path)) return;
    this.reported.add(file.path);
    this.fresh.push(file);
    this.record(file);
    this.progress.note(`cannot use ${file.path}: ${file.reason}`);
  };

  /** The videos that `report` was told of since the last call. */
  takeReported(): BadFile[] {
    const taken = this.fresh;
    this.fresh = [];
    return taken;
  }

  /**
   * From now on, and for what was reported before: one record in the log for each file.
   *
   * @param completedSteps gives the steps completed by now
   */
  logTo({ log }: Pick<RunFolder, 'log'>, completedSteps: () => number): void {
    this.write = ({ path, reason }) => log.append({ type: 'bad-file', step: completedSteps(), path, reason });
    this.files.forEach(this.write);
  }

  private record(file: BadFile): void {
    this.files.push(file);
    this.write?.(file);
  }
}
