/** Reading the label files and folders of data sets. What cannot be read becomes a problem, never an exception. */
import { readdirSync, readFileSync, statSync, type Dirent } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { parse } from 'csv-parse/sync';
import { DatasetError } from './dataset.js';
import type { Problems } from './problems.js';

/** A line or record of a file with what `where` of a problem says about it. */
export interface Located<T> {
  /** `file:line`. */
  readonly where: string;
  readonly value: T;
}

/** A path, or `file:line`, relative to a folder and with `/` on every machine. */
export function relativeName(folder: string, path: string): string {
  return relative(folder, path).split(sep).join('/');
}

/** @throws for what is there and is not a file: a pipe or a device would be read for ever */
export function requireFile(path: string): void {
  const stats = statSync(path);
  if (!stats.isFile()) throw new Error(stats.isDirectory() ? 'it is a folder' : 'it is a pipe or a device');
}

/**
 * The text of a file.
 *
 * @param remedy what to do when it is missing.
 * @returns undefined, and a problem, when it cannot be read.
 */
export function readText(file: string, remedy: string, problems: Problems): string | undefined {
  try {
    requireFile(file);
    return readFileSync(file, 'utf8').replace(/^\uFEFF/, '');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') problems.add(file, 'there is no such file', remedy);
    else problems.add(file, `it cannot be read (${message})`, 'Make it a text file that can be read');
    return undefined;
  }
}

/** The lines of a file that are not empty, without the white space around them. */
export function readLines(file: string, remedy: string, problems: Problems): Located<string>[] {
  const lines = readText(file, remedy, problems)?.split(/\r?\n/) ?? [];
  return lines
    .map((line, index) => ({ where: `${file}:${index + 1}`, value: line.trim() }))
    .filter(({ value }) => value !== '');
}

const MOST_CHARACTERS = 200;

/** A text of somebody's file for a message. */
export const cutOff = (text: string) =>
  text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS)}…` : text;

/** Which columns a table must and may have; the values of others are refused or disregarded. */
export interface TableColumns<Required extends string, Optional extends string> {
  readonly required: readonly Required[];
  readonly optional: readonly Optional[];
  readonly others: 'refused' | 'disregarded';
}

/** The value of each column that the table has. */
export type TableRow<Required extends string, Optional extends string> = Readonly<
  Record<Required, string> & Partial<Record<Optional, string>>
>;

const listed = (names: readonly string[]) => cutOff(names.map((name) => `"${name}"`).join(', '));

/** Checks the header of a table; false, and problems, when it does not fit. */
function checkHeader(
  where: string,
  header: readonly string[],
  { required, optional, others }: TableColumns<string, string>,
  problems: Problems,
): boolean {
  const before = problems.count;
  const known = [...required, ...optional];
  const missing = required.filter((name) => !header.includes(name));
  if (missing.length > 0) {
    problems.add(
      where,
      `the header ${listed(header)} lacks ${listed(missing)}`,
      `Begin the file with a line that names the columns: ${required.join(',')}` +
        (optional.length > 0 ? `, and where wanted ${optional.join(',')}` : ''),
    );
  }
  for (const [index, name] of header.entries()) {
    if (others === 'refused' && !known.includes(name)) {
      problems.add(
        where,
        `"${cutOff(name)}" is not a column of this format`,
        `Remove it or name it one of ${listed(known)}`,
      );
    } else if (header.indexOf(name) !== index) {
      problems.add(where, `the column "${cutOff(name)}" is there twice`, 'Keep one of them');
    }
  }
  return problems.count === before;
}

/**
 * The rows of a comma-separated file whose first line names its columns (RFC 4180: values with commas in quotes).
 * Values come without the white space around them.
 *
 * @param remedy what to do when the file is missing.
 */
export function readTable<Required extends string, Optional extends string>(
  file: string,
  columns: TableColumns<Required, Optional>,
  remedy: string,
  problems: Problems,
): Located<TableRow<Required, Optional>>[] {
  const text = readText(file, remedy, problems);
  if (text === undefined) return [];
  let records: { record: string[]; info: { lines: number } }[];
  try {
    records = parse(text, {
      info: true,
      trim: true,
      relax_column_count: true,
      skip_empty_lines: true,
    }) as unknown as typeof records;
  } catch (error) {
    const line = (error as { lines?: number }).lines;
    problems.add(
      line === undefined ? file : `${file}:${line}`,
      `it is not comma-separated text (${(error as Error).message})`,
      'Put values that hold commas or quotes into double quotes, and double the quotes inside',
    );
    return [];
  }
  const [head, ...rows] = records;
  if (head === undefined) {
    problems.add(
      file,
      'the file is empty',
      `Give it a header ${columns.required.join(',')} and a line for each video`,
    );
    return [];
  }
  const header = head.record;
  if (!checkHeader(`${file}:${head.info.lines}`, header, columns, problems)) return [];
  const located: Located<TableRow<Required, Optional>>[] = [];
  for (const { record, info } of rows) {
    const where = `${file}:${info.lines}`;
    if (record.length !== header.length) {
      problems.add(
        where,
        `${record.length} values (${listed(record)}) where the header names ${header.length} columns`,
        'Give every column a value, and put values that hold commas into double quotes',
      );
      continue;
    }
    const entries = header.map((name, index) => [name, record[index] as string]);
    located.push({ where, value: Object.fromEntries(entries) as TableRow<Required, Optional> });
  }
  return located;
}

/** Whether there is a folder of this name (a link to one included). */
export function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/**
 * Makes sure that the root of a data set and the folder of its clips are there.
 *
 * @param layout what is expected, in words.
 * @throws DatasetError saying which of them is missing, and the layout.
 */
export function requireFolders(root: string, framesFolder: string, title: string, layout: string): void {
  for (const path of [root, join(root, framesFolder)]) {
    if (isFolder(path)) continue;
    const problem = statSync(path, { throwIfNoEntry: false })
      ? 'it is not a folder'
      : 'there is no such folder';
    throw new DatasetError([
      { where: path, problem, remedy: `Give the folder of ${title}, which holds ${layout}` },
    ]);
  }
}

/** The names in a folder that do not begin with a dot, in the order of their characters. */
export function listNames(folder: string): { folders: string[]; files: string[] } {
  const leadsToFolder = (entry: Dirent) =>
    entry.isDirectory() || (entry.isSymbolicLink() && isFolder(join(folder, entry.name)));
  const folders: string[] = [];
  const files: string[] = [];
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (!entry.name.startsWith('.')) (leadsToFolder(entry) ? folders : files).push(entry.name);
  }
  return { folders: folders.sort(), files: files.sort() };
}
