/** Which people belong to which part of VoxCeleb2, by the table that comes with it. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DatasetProblem } from '../datasets/dataset.js';
import { requireFile } from '../datasets/files.js';
import type { Voxceleb2Part } from './parts.js';

export const PEOPLE_FILE = 'vox2_meta.csv';

/** What the table says. */
export interface Voxceleb2People {
  readonly parts: ReadonlyMap<string, Voxceleb2Part>;
  readonly problems: readonly DatasetProblem[];
}

/** Reads the table beside the parts; undefined where there is none. */
export function readPeople(root: string): Voxceleb2People | undefined {
  const file = join(root, PEOPLE_FILE);
  if (!existsSync(file)) return undefined;
  const parts = new Map<string, Voxceleb2Part>();
  const problems: DatasetProblem[] = [];
  const remedy = 'Download it again, or remove it: the check does without';
  try {
    requireFile(file);
    const lines = readFileSync(file, 'utf8')
      .replace(/^\uFEFF/, '')
      .split(/\r?\n/);
    for (const [index, line] of lines.entries()) {
      // Columns are filled up with blanks: VoxCeleb2 ID, VGGFace2 ID, gender, set.
      const cells = line.split(',').map((cell) => cell.trim());
      const [id, part] = [cells[0]!, cells.at(-1)!];
      if (line.trim() === '' || (index === 0 && !/^id\d/.test(id))) continue;
      if (/^id\d{5}$/.test(id) && (part === 'dev' || part === 'test')) parts.set(id, part);
      else {
        problems.push({
          where: `${PEOPLE_FILE}:${index + 1}`,
          problem: 'the line does not begin with a person such as id00012 and end with dev or test',
          remedy,
        });
      }
    }
  } catch (error) {
    problems.push({ where: PEOPLE_FILE, problem: (error as Error).message, remedy });
  }
  return { parts, problems };
}
