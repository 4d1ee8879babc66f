/** Where results go: the terminal, files, pictures. */
import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { dirname, extname, isAbsolute, relative, resolve } from 'node:path';
import { OptionError, svgToPng, UserError } from '@tubelet/trainer';
import { writeFileInPieces, writeTextFile } from '@tubelet/trainer/formats';

/** How a program talks to its user. */
export interface Terminal {
  /** Results, for a person or for the next program of a pipe. */
  write(text: string): Promise<void> | void;
  /** A line about how it goes. */
  note(line: string): void;
}

/** Whoever read the results stopped reading, such as `head` after its last line. */
export class OutputClosedError extends UserError {
  override readonly name = 'OutputClosedError';

  constructor(options: ErrorOptions) {
    super('standard output was closed before all results were written', options);
  }
}

function writeTo(stream: NodeJS.WritableStream, text: string): Promise<void> {
  return new Promise((done, failed) => {
    // Without a listener, the stream's own error would end the process.
    const ignore = () => undefined;
    stream.once('error', ignore);
    stream.write(text, (error) => {
      if (!error) {
        stream.off('error', ignore);
        done();
      } else
        failed(
          (error as NodeJS.ErrnoException).code === 'EPIPE' ? new OutputClosedError({ cause: error }) : error,
        );
    });
  });
}

/** Results go to one stream, lines about how it goes to another. */
export function streamTerminal(output: NodeJS.WritableStream, notes: NodeJS.WritableStream): Terminal {
  return {
    write: (text) => writeTo(output, text),
    note: (line) => void notes.write(`${line}\n`),
  };
}

/** Standard output for results, standard error for the rest. */
export const terminal: Terminal = streamTerminal(process.stdout, process.stderr);

/** A path as people want to read it: relative to where they are, if it is below. */
export function displayPath(path: string): string {
  const below = relative('.', path);
  return below === '' || below.startsWith('..') || isAbsolute(below) ? path : below;
}

/**
 * Checks that a file can be written, before any work is done for it. Folders that are missing will be made.
 *
 * @param key the option that names the file
 * @throws OptionError when it is a folder or lies below a file; UserError when writing is not permitted
 */
export function requireWritable(key: string, path: string): void {
  let folder = dirname(resolve(path));
  while (!existsSync(folder)) folder = dirname(folder);
  if (!statSync(folder).isDirectory())
    throw new OptionError(key, path, `a file in a folder; ${folder} is a file`);
  if (existsSync(path) && statSync(path).isDirectory())
    throw new OptionError(key, path, 'the name of a file; there is a folder of this name');
  try {
    accessSync(folder, constants.W_OK);
  } catch (cause) {
    throw new UserError(
      `${key}: ${path} cannot be written: writing into the folder ${folder} is not permitted. Choose another.`,
      { cause },
    );
  }
}

/**
 * {@link requireWritable} for a picture.
 *
 * @throws OptionError also when its name ends neither in .svg nor in .png
 */
export function requireWritablePicture(key: string, path: string): void {
  if (!/\.(svg|png)$/i.test(path))
    throw new OptionError(key, path, 'the name of a picture, ending in .svg or .png');
  requireWritable(key, path);
}

/**
 * Writes a chart as SVG, or as PNG where the name says so.
 *
 * @throws FileWriteError
 */
export async function writePicture(path: string, svg: string): Promise<void> {
  if (extname(path).toLowerCase() === '.svg') await writeTextFile(path, svg);
  else await writeFileInPieces(path, [await svgToPng(svg)]);
}

/**
 * What `work` writes into a folder of results.
 *
 * @param then what to do once it can be written
 * @throws UserError where the system refuses it, as on a full disk; what else `work` throws, as it is
 */
export async function intoFolder<T>(
  folder: string,
  work: () => Promise<T> | T,
  then = 'begin again',
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Error) || !('syscall' in error)) throw error;
    throw new UserError(
      `${folder} cannot be written: ${error.message}. Make room there, or let it be written; then ${then}.`,
      { cause: error },
    );
  }
}
