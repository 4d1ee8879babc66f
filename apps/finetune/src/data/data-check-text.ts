/** What a check of a data set has found, for people. */
import { counted, formatFindings } from '@tubelet/trainer';
import { textTable } from '@tubelet/trainer/formats';
import { DATASETS, PARTS, type DatasetCheck, type DatasetName, type Quartiles } from '@tubelet/video';

/** So many frame sizes are shown. */
const SHOWN = 5;

const number = (value: number): string => value.toLocaleString('en');

/** Counts, sizes and findings of a check; of each kind of finding the first few. */
export function formatCheck(check: DatasetCheck): string {
  const parts = [
    `${check.title} in ${check.root}: ${counted(check.clips, 'clip')}`,
    ...(check.folds.length > 0 ? [formatCounts(check)] : []),
    ...unreadFolds(check),
    ...frames(check),
    ...faces(check),
    ...formatFindings(check.findings),
  ];
  return `${parts.join('\n\n')}\n`;
}

function formatCounts({ folds, classes }: DatasetCheck): string {
  const withPublished = folds.some((fold) => PARTS.some((part) => fold[part].publishedClips !== null));
  const withSubjects = folds.some((fold) => PARTS.some((part) => fold[part].subjects !== null));
  const head = ['fold, part', 'clips', 'published', 'subjects', ...classes];
  const rows = folds.flatMap((fold) =>
    PARTS.map((part) => {
      const { clips, publishedClips, subjects, perClass } = fold[part];
      const cells = [clips, publishedClips, subjects, ...perClass];
      return [`${fold.fold} ${part}`, ...cells.map((cell) => (cell === null ? '–' : number(cell)))];
    }),
  );
  const isShown = (_: string, column: number): boolean =>
    (column !== 2 || withPublished) && (column !== 3 || withSubjects);
  return textTable([head, ...rows].map((row) => row.filter(isShown)));
}

function unreadFolds({ unreadFolds, clips }: DatasetCheck): string[] {
  if (unreadFolds.length === 0) return [];
  const which =
    unreadFolds.length === 1 ? `Fold ${unreadFolds[0]} was` : `Folds ${unreadFolds.join(', ')} were`;
  const how = clips === 0 ? 'not checked' : 'not checked further';
  return [`${which} ${how}: mend what is listed below, then check again.`];
}

function frames({ frameCounts, frameSizes, quick }: DatasetCheck): string[] {
  const lines: string[] = [];
  if (frameCounts !== null) {
    const { least, median, most } = frameCounts;
    lines.push(
      `frames of a clip: ${number(least)} to ${number(most)}, half of the clips ${number(median)} or more`,
    );
  }
  if (frameSizes.length > 0) {
    const rows = frameSizes
      .slice(0, SHOWN)
      .map(({ width, height, clips, example }) => [
        `${width}×${height}`,
        number(clips),
        `such as ${example}`,
      ]);
    const width = Math.max(...rows.map(([, clips]) => clips!.length));
    const more = frameSizes.length - SHOWN;
    lines.push(
      'size of the first frame, clips:',
      ...rows.map(([size, clips, example]) => `  ${size!.padEnd(9)}  ${clips!.padStart(width)}  ${example}`),
      ...(more > 0 ? [`  … and ${counted(more, 'more size')}`] : []),
    );
  }
  if (quick) lines.push('Images and videos were not opened (--quick).');
  return lines.length === 0 ? [] : [lines.join('\n')];
}

/** Where faces lie, beside where `data faces` puts them. */
function faces({ faceCrops, name, title, clips }: DatasetCheck): string[] {
  if (clips === 0) return [];
  if (faceCrops === null) return ['Size and place of faces were not compared: --faces does.'];
  const { found, size, right, down, turn } = faceCrops;
  const looked = `faces, in the middle frames of ${counted(faceCrops.clips, 'clip')} spread over the set: found in ${found}`;
  if (size === null) return [looked];
  const row = (what: string, { low, median, high }: Quartiles, cut: string, digits: number) => [
    what,
    ...[median, low, high].map((value) => value.toFixed(digits)),
    cut,
  ];
  const known = DATASETS[name as DatasetName].alignedFaces
    ? 'Its crops are made by OpenFace, whose margin `data faces` follows.'
    : `What faces measure in the owners’ crops of ${title} is not known here: only whole frames are warned of.`;
  const table = textTable([
    ['', 'median', 'from', 'to', 'by data faces'],
    row('edge of the face with its margin, over the shorter side', size, '1', 2),
    row('its middle right of the frame’s, in edges', right!, '0', 2),
    row('its middle below the frame’s, in edges', down!, '0', 2),
    row('turned clockwise, in degrees', turn!, '0', 0),
  ]);
  return [`${looked}; from and to hold the middle half of them\n${table}\n${known}`];
}
