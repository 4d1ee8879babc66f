import { cutOff, readLines } from './files.js';
import type { ListedClip } from './listed-dataset.js';
import type { Problems } from './problems.js';

/** How the lines `clip class` of a label file are read. */
export interface NamedLines {
  readonly classes: readonly string[];
  /** The folder of a clip as a line names it; undefined when that is not how clips are named. */
  clipOf(text: string): string | undefined;
  /** An example of a line. */
  readonly example: string;
}

/** Reads a label file of lines `clip class`, in which upper and lower case of the class do not matter. */
export function readNamedLines(
  file: string,
  { classes, clipOf, example }: NamedLines,
  remedyIfMissing: string,
  problems: Problems,
): ListedClip[] {
  const labels = new Map(classes.map((name, label) => [name.toLowerCase(), label]));
  const clips: ListedClip[] = [];
  for (const { where, value } of readLines(file, remedyIfMissing, problems)) {
    const parts = /^(.*\S)\s+(\S+)$/.exec(value);
    const clip = parts === null ? undefined : clipOf(parts[1] as string);
    if (parts === null || clip === undefined) {
      problems.add(
        where,
        `the line is "${cutOff(value)}"`,
        `Write the clip and its class, as in "${example}"`,
      );
      continue;
    }
    const label = labels.get((parts[2] as string).toLowerCase());
    if (label === undefined) {
      problems.add(
        where,
        `"${cutOff(parts[2] as string)}" is not a class`,
        `Give one of ${classes.join(', ')}`,
      );
      continue;
    }
    clips.push({ where, clip, label });
  }
  return clips;
}
