import { createReadStream, existsSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { AppendFile } from '../formats/append-file.js';
import { UserError } from '../errors.js';

/**
 * One line of a run's log. `type` tells what happened (`start`, `step`, `checkpoint`, `warning`, …), `step`
 * how many steps had been completed by then.
 */
export interface LogRecord {
  readonly type: string;
  readonly step: number;
  readonly [field: string]: unknown;
}

const NEWLINE = 0x0a;

function parseRecord(line: string): LogRecord | null {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value !== 'object' || value === null || !('type' in value) || !('step' in value)) return null;
    return typeof value.type === 'string' && typeof value.step === 'number' ? (value as LogRecord) : null;
  } catch {
    return null;
  }
}

/**
 * How many bytes of a log to keep when its run goes on from `completedSteps`: all up to the first record of
 * a later step, or the first line that a kill left unfinished.
 *
 * @throws UserError when records to keep follow a damaged line
 */
function keptBytes(path: string, bytes: Buffer, completedSteps: number): number {
  let kept: { readonly bytes: number; readonly damagedLine: number | null } | null = null;
  let begin = 0;
  for (let lineNumber = 1; begin < bytes.length; lineNumber++) {
    const newline = bytes.indexOf(NEWLINE, begin);
    const end = newline < 0 ? bytes.length : newline;
    const record = newline < 0 ? null : parseRecord(bytes.toString('utf8', begin, end));
    if (record === null || record.step > completedSteps) {
      kept ??= { bytes: begin, damagedLine: record === null ? lineNumber : null };
    } else if (kept?.damagedLine != null) {
      throw new UserError(
        `${path}, line ${kept.damagedLine}: not a log record, though records of the resumed part follow it. ` +
          'Remove the line, or move the file away to go on with a new one.',
      );
    }
    begin = end + 1;
  }
  return kept === null ? bytes.length : kept.bytes;
}

/**
 * The log of a run, `log.jsonl`: one JSON object a line, complete on the disk as soon as `append` returns.
 */
export class RunLog {
  readonly #file: AppendFile;
  readonly #requireHeld: () => void;

  /**
   * Opens a log to go on with. Lines of steps after `completedSteps` are cut off: they will be run again.
   *
   * @param requireHeld is called before each record, and throws where the run has become another program's
   * @throws UserError when the log is damaged in its middle, or cannot be written
   */
  constructor(path: string, completedSteps: number, requireHeld: () => void = () => undefined) {
    const bytes = existsSync(path) ? readFileSync(path) : Buffer.alloc(0);
    this.#file = new AppendFile(path, keptBytes(path, bytes, completedSteps));
    this.#requireHeld = requireHeld;
  }

  /** @throws what `requireHeld` throws; FileWriteError when the record cannot be written */
  append(record: LogRecord): void {
    this.#requireHeld();
    this.#file.append(new TextEncoder().encode(`${JSON.stringify(record)}\n`));
  }

  flush(): void {
    this.#file.flush();
  }

  close(): void {
    this.#file.close();
  }
}

/**
 * The records of a log of any length, in order. A last line without its end is what a kill left, and is
 * passed over.
 *
 * @throws UserError naming the line that is not a record, or when there is no log
 */
export async function* readLog(path: string): AsyncGenerator<LogRecord> {
  if (!existsSync(path)) throw new UserError(`there is no log at ${path}`);
  let damagedLine = 0;
  let lineNumber = 0;
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
    if (damagedLine > 0)
      throw new UserError(`${path}, line ${damagedLine}: not a log record. Remove the line.`);
    lineNumber += 1;
    const record = parseRecord(line);
    if (record === null) damagedLine = lineNumber;
    else yield record;
  }
}
