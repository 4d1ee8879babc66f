// Writes docs/studies-in-miniature.md, with its pictures, from what `tubelet study NAME --miniature` has left:
//
//   npm run study-page -- runs/studies/drawn-faces-60/table-2.json …
import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { studyOf } from '../apps/tubelet/src/study/studies.js';
import { markdownTable, studyTable, type RowFigures } from '../apps/tubelet/src/study/study-table.js';
import { root } from './lib/root.mjs';

const PAGE = join(root, 'docs', 'studies-in-miniature.md');
const INTRODUCTION = `# The studies in miniature

<!-- Written by \`npm run study-page\` from the JSON files of studies; run those instead of editing. -->

**The faces are drawn.** Nothing on this page is a result on real faces, of the paper's models or of the paper's budget. It shows
what \`tubelet study NAME --miniature\` ends in. [Every table and figure](reproducing-the-paper.md) says how to run the
studies on the real data sets.
`;

/** What a study leaves as JSON. */
interface StudyFile {
  readonly study: string;
  readonly title: string;
  readonly notes: readonly string[];
  readonly rows: readonly RowFigures[];
}

/** A study as a part of the page. */
function part(path: string): string {
  const { study: name, title, notes, rows } = JSON.parse(readFileSync(path, 'utf8')) as StudyFile;
  if (rows[0]?.dataSets['faces'] === undefined)
    throw new Error(
      `${path} is not a study of drawn faces: give the JSON file of one made with --miniature.`,
    );
  const study = studyOf(name);
  const parts = [
    `## ${title}`,
    ...notes,
    markdownTable(studyTable(study, rows, 'faces', true), study.columns.length),
  ];
  const picture = path.replace(/\.json$/, '.png');
  if (existsSync(picture)) {
    copyFileSync(picture, join(root, 'docs', 'figures', `${name}-drawn.png`));
    parts.push(`![${title}](figures/${name}-drawn.png)`);
  }
  return `${parts.join('\n\n')}\n`;
}

const paths = process.argv.slice(2);
if (paths.length === 0) {
  console.error('Name the JSON files of studies, such as runs/studies/drawn-faces-60/table-2.json.');
  process.exit(2);
}
try {
  writeFileSync(PAGE, [INTRODUCTION, ...paths.map(part)].join('\n'));
  console.log(PAGE);
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
