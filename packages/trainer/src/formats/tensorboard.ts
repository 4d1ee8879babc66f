import { hostname } from 'node:os';
import { join } from 'node:path';
import { AppendFile } from './append-file.js';
import { imageEvent, restartEvent, scalarsEvent, tfRecord, versionEvent } from './event-encoding.js';

/** Writes scalars and images that TensorBoard shows, into one event file of a run folder. */
export class TensorBoardWriter {
  readonly #file: AppendFile;
  readonly #nowMs: () => number;

  /**
   * @param completedSteps steps that the run had completed when this process took over, be it none: TensorBoard drops
   * what earlier event files hold beyond them; undefined for a new run
   * @throws FileWriteError when the file cannot be written
   */
  constructor(directory: string, completedSteps: number | undefined, nowMs: () => number = Date.now) {
    this.#nowMs = nowMs;
    const seconds = String(Math.floor(nowMs() / 1000)).padStart(10, '0');
    this.#file = new AppendFile(
      join(directory, `events.out.tfevents.${seconds}.${hostname()}.${process.pid}`),
      0,
    );
    this.#append(versionEvent(this.#nowS()));
    if (completedSteps !== undefined) this.#append(restartEvent(this.#nowS(), completedSteps + 1));
  }

  get path(): string {
    return this.#file.path;
  }

  /** `step` counts completed steps; names with a slash, such as `loss/total`, are shown in groups. */
  addScalars(step: number, scalars: Readonly<Record<string, number>>): void {
    this.#append(scalarsEvent(this.#nowS(), step, scalars));
  }

  /** @throws RangeError when `png` is not a PNG file's bytes */
  addImage(step: number, name: string, png: Uint8Array): void {
    this.#append(imageEvent(this.#nowS(), step, name, png));
  }

  close(): void {
    this.#file.close();
  }

  #nowS(): number {
    return this.#nowMs() / 1000;
  }

  #append(event: Uint8Array): void {
    this.#file.append(tfRecord(event));
  }
}
