import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { htmlPage, lineChart, pictureGrid, svgToPng } from '@tubelet/trainer';
import type { StudyPlan, StudySettings } from './study-plan.js';
import { resultOf, stateOf } from './study-state.js';
import {
  markdownTable,
  notesOf,
  studyFigures,
  testVideos,
  studyTable,
  type Figure,
  type RowFigures,
} from './study-table.js';
import { DATA_SETS, METRICS, type DataSet, type Study } from './studies.js';

const titleOf = (set: string, drawn: string) =>
  Object.hasOwn(DATA_SETS, set) ? DATA_SETS[set as DataSet].title : drawn;

/** A curve over λ for each metric and data set, the printed ones beside those of real faces. */
async function picture(
  figures: readonly RowFigures[],
  settings: StudySettings,
  title: string,
): Promise<{ svg: string; png: Uint8Array }> {
  const weights = figures.map(({ label }) => Number(label[0]));
  const curve = (name: string, values: readonly (number | null)[]) => {
    const known = values.flatMap((value, i) => (value === null ? [] : [i]));
    return { name, x: known.map((i) => weights[i]!), y: known.map((i) => values[i]!) };
  };
  const charts = settings.dataSets.flatMap((name) =>
    METRICS.map((metric) => {
      const of = (pick: (figure: Figure) => number | null) =>
        figures.map(({ dataSets }) => pick(dataSets[name]![metric]));
      const curves = [
        curve(
          'ours',
          of(({ ours }) => ours?.mean ?? null),
        ),
      ];
      if (!settings.people)
        curves.push(
          curve(
            'printed',
            of(({ printed }) => printed),
          ),
        );
      return lineChart({
        title: `${metric.toUpperCase()} on ${titleOf(name, 'drawn faces')}`,
        xLabel: 'λ',
        yLabel: '%',
        curves: curves.filter(({ x }) => x.length > 0),
      });
    }),
  );
  const svg = pictureGrid(title, charts, 1);
  return { svg, png: await svgToPng(svg) };
}

/** Writes the table as text, JSON and HTML, and prints it. */
export async function writeTable(
  name: string,
  study: Study,
  settings: StudySettings,
  { runs, rows }: StudyPlan,
): Promise<void> {
  const isDrawn = settings.people !== undefined;
  const resultsOf = (names: readonly string[]) =>
    names.map((wanted) => resultOf(runs.find((run) => run.name === wanted)!));
  const results = rows.map((row) =>
    Object.fromEntries(Object.entries(row).map(([set, names]) => [set, resultsOf(names)])),
  );
  const figures = studyFigures(study, results, isDrawn ? 'dfew' : undefined);
  const unfinished = runs.filter((run) => stateOf(run) !== 'finished').length;
  const sizes = testVideos(results);
  const tested = Object.fromEntries(
    settings.dataSets.map((set) => [titleOf(set, 'drawn faces'), sizes[set]!]),
  );
  const notes = notesOf(study, { isDrawn, seeds: settings.seeds, unfinished, tested });
  const tables = settings.dataSets.map((set) => ({
    title: titleOf(set, 'Drawn faces'),
    ...studyTable(study, figures, set, isDrawn),
  }));
  const title = isDrawn ? `${study.title} (drawn faces)` : study.title;
  const drawn = study.picture ? await picture(figures, settings, title) : undefined;
  const text = [
    `# ${title}`,
    ...notes,
    ...tables.flatMap((table) => [`## ${table.title}`, markdownTable(table, study.columns.length)]),
  ].join('\n\n');
  const page = htmlPage(title, [
    { title: 'About the figures', paragraphs: notes },
    ...tables.map(({ title, head, rows }) => ({ title, tables: [{ head, rows }] })),
    ...(drawn ? [{ title: 'Picture', figures: [drawn.svg] }] : []),
  ]);
  const json = { study: name, title, notes, seeds: settings.seeds, testVideos: sizes, rows: figures };
  const files = {
    md: `${text}\n`,
    json: `${JSON.stringify(json, null, 2)}\n`,
    html: page,
    ...drawn,
  };
  mkdirSync(settings.folder, { recursive: true });
  for (const [ending, content] of Object.entries(files)) {
    writeFileSync(join(settings.folder, `${name}.${ending}`), content);
  }
  console.log(
    `\n${text}\n\n${settings.place(join(settings.folder, name))}.{${Object.keys(files).join(',')}}`,
  );
}
