// A table or figure of the paper: the pre-trainings and fine-tunings that it needs, and our figures beside the printed
// ones.
//
//   npm run study -- table-2 --voxceleb2 VIDEOS --dfew FOLDER --ferv39k FOLDER
//   npm run study -- table-2 --miniature --seeds 3
//
// Runs are shared by all studies of a folder. What is finished is not done again, what was interrupted is resumed.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { pretraining, unlabelledFaces } from './lib/faces-recipe.mjs';
import { optionWords, requireBuilt, runProgram } from './lib/programs.mjs';
import { root } from './lib/root.mjs';
import { DATA_SETS, STUDIES, studyOf } from './lib/studies.mjs';
import { assumptionText, drawnFaces, planStudy, planText, SPEEDS, startOf } from './lib/study-plan.mjs';
import { resultOf, stateOf, stepsOfEnded } from './lib/study-state.mjs';
import { markdownTable, notesOf, studyFigures, textTable } from './lib/study-table.mjs';

const HELP = `npm run study -- NAME [options]

NAME: ${Object.keys(STUDIES).join(', ')}

  --plan                   show the runs with their time and disk, and end
  --only RUN               do this run alone, e.g. on another machine with the same folder; may be repeated
  --voxceleb2 SOURCE       videos to pre-train on: a folder, glob or list file; may be repeated
  --dfew FOLDER            data sets to test on, one or both
  --ferv39k FOLDER
  --seeds N                fine-tunings of each row (default: 1)
  --out FOLDER             where runs and tables go (default: runs/studies)
  --clips-per-second P,F   of base in pre-training and fine-tuning, for the plan
  --pretrain-options '…'   added to every command: e.g. '--precision f16 --batch-size 32 --accumulate 4'
  --finetune-options '…'
  --miniature              the same plan on drawn faces and a small model, without any data
  --people N               how many are drawn, with labels and without (default: 60)`;

const say = (line) => console.log(`[study] ${line}`);
const place = (path) => relative(root, path) || '.';

function wholeOption(values, name) {
  if (!/^[1-9]\d*$/.test(values[name]))
    throw new Error(`--${name} is ${values[name]}: give a whole number above 0.`);
  return Number(values[name]);
}

/** Clips in a second as the user gave them, else as they were measured. */
function speedOf(given, people) {
  if (given === undefined) return people ? SPEEDS.drawn : SPEEDS.paper;
  const [pretrain, finetune, ...others] = given.split(',').map(Number);
  if (!(pretrain > 0 && finetune > 0) || others.length > 0) {
    throw new Error(`--clips-per-second is ${given}: give two numbers above 0, such as 147,78.`);
  }
  return { pretrain, finetune };
}

function readOptions() {
  const text = (fallback) => ({ type: 'string', ...(fallback === undefined ? {} : { default: fallback }) });
  const several = { type: 'string', multiple: true, default: [] };
  const flag = { type: 'boolean', default: false };
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      ...{ help: flag, plan: flag, miniature: flag, only: several, voxceleb2: several },
      ...Object.fromEntries(Object.keys(DATA_SETS).map((name) => [name, text()])),
      ...{ seeds: text('1'), people: text(), out: text(join('runs', 'studies')) },
      ...{ 'clips-per-second': text(), 'pretrain-options': text(''), 'finetune-options': text('') },
    },
  });
  if (values.help) return { help: true };
  if (positionals.length > 1) throw new Error(`One study at a time: ${positionals.join(', ')} are several.`);
  const study = studyOf(positionals[0]);
  const named = Object.keys(DATA_SETS).filter((name) => values[name] !== undefined);
  const people = values.miniature ? wholeOption({ people: '60', ...values }, 'people') : undefined;
  if (people !== undefined && people < 5)
    throw new Error(`--people is ${people}: give 5 or more, one for each fold.`);
  if (people && (named.length > 0 || values.voxceleb2.length > 0)) {
    throw new Error('--miniature draws its own data: leave out --voxceleb2, --dfew and --ferv39k.');
  }
  if (!people && values.people) throw new Error('--people is for --miniature, which draws them.');
  const words = (name) => values[name].split(/\s+/).filter((word) => word !== '');
  const folder = join(root, relative(root, values.out));
  return {
    name: positionals[0],
    study,
    named,
    plan: values.plan,
    only: values.only,
    isSpeedGiven: values['clips-per-second'] !== undefined,
    settings: {
      people,
      seeds: wholeOption(values, 'seeds'),
      folder: people ? join(folder, `drawn-faces-${people}`) : folder,
      place,
      further: { pretrain: words('pretrain-options'), finetune: words('finetune-options') },
      speed: speedOf(values['clips-per-second'], people),
      ...(people ? drawnData(people) : {}),
      ...(people ? {} : realData(values, named)),
    },
  };
}

/** Folders of the drawn data, which stand in the place of VoxCeleb2 and of DFEW. */
function drawnData(people) {
  const [labelled, unlabelled] = [`faces-study-${people}`, `faces-study-${people}-unlabelled`].map((name) =>
    join('data', name),
  );
  return {
    labelled,
    unlabelled,
    dataSets: ['faces'],
    sources: [join(unlabelled, 'clips')],
    roots: { faces: join(labelled, 'faces.csv') },
  };
}

/** A plan may be shown before there is any data: of both sets then. */
function realData(values, named) {
  const roots = Object.fromEntries(
    Object.keys(DATA_SETS).map((name) => [name, values[name] ?? name.toUpperCase()]),
  );
  return { dataSets: named.length > 0 ? named : Object.keys(DATA_SETS), sources: values.voxceleb2, roots };
}

/** Begins a run, or goes on with it. */
async function make(run, runs) {
  const from = [];
  if (run.needs) {
    const pretrained = runs.find(({ name }) => name === run.needs);
    const steps = stepsOfEnded(pretrained.folder);
    if (steps === undefined) {
      throw new Error(`${run.name} begins with ${run.needs}, which is not finished: run that first.`);
    }
    from.push('--from', place(startOf(run, pretrained, steps)));
  }
  await runProgram(run.program, [...run.words, ...from, '--resume', 'auto']);
  if (stateOf(run) !== 'finished') throw new Error('Stopped; the same command goes on from here.');
}

/** The runs that this call is to do. */
function chosen(runs, { only, named, settings: { people, sources } }) {
  const unknown = only.find((name) => !runs.some((run) => run.name === name));
  if (unknown !== undefined) {
    throw new Error(
      `--only ${unknown} is no run of it; these are: ${runs.map(({ name }) => name).join(', ')}.`,
    );
  }
  const left = runs.filter(
    (run) => (only.length === 0 || only.includes(run.name)) && stateOf(run) !== 'finished',
  );
  if (!people && sources.length === 0 && left.some(({ program }) => program === 'pretrain')) {
    throw new Error('There is pre-training to do: give its videos as --voxceleb2 SOURCE, or --miniature.');
  }
  if (!people && named.length === 0 && left.some(({ program }) => program === 'finetune')) {
    throw new Error('Give the data sets to test on: --dfew FOLDER, --ferv39k FOLDER or both.');
  }
  return left;
}

/** Draws both sets in the size that the model sees; what is there already takes a moment. */
async function drawFaces({ people, labelled, unlabelled }) {
  const drawn = { subjects: people, size: pretraining['image-size'] };
  await runProgram('faces', optionWords({ out: labelled, ...drawn, ...drawnFaces.labelled }));
  await runProgram(
    'faces',
    optionWords({ out: unlabelled, ...unlabelledFaces, ...drawn, ...drawnFaces.unlabelled }),
  );
}

/** A curve over λ for each metric and data set, the printed ones beside those of real faces. */
async function picture(study, figures, settings, title) {
  const { lineChart, pictureGrid, svgToPng } = await import('@tubelet/trainer');
  const weights = figures.map(({ label }) => Number(label[0]));
  const curve = (name, values) => {
    const known = values.flatMap((value, i) => (value === null ? [] : [i]));
    return { name, x: known.map((i) => weights[i]), y: known.map((i) => values[i]) };
  };
  const charts = settings.dataSets.flatMap((name) =>
    ['uar', 'war'].map((metric) => {
      const of = (pick) => figures.map(({ dataSets }) => pick(dataSets[name][metric]));
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
      const on = DATA_SETS[name]?.title ?? 'drawn faces';
      return lineChart({
        title: `${metric.toUpperCase()} on ${on}`,
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
async function writeTable({ name, study, settings }, { runs, rows }) {
  const { htmlPage } = await import('@tubelet/trainer');
  const isDrawn = settings.people !== undefined;
  const resultsOf = (names) => names.map((wanted) => resultOf(runs.find((run) => run.name === wanted)));
  const results = rows.map((row) =>
    Object.fromEntries(Object.entries(row).map(([set, names]) => [set, resultsOf(names)])),
  );
  const figures = studyFigures(study, results, isDrawn ? 'dfew' : undefined);
  const unfinished = runs.filter((run) => stateOf(run) !== 'finished').length;
  const notes = notesOf(study, { isDrawn, seeds: settings.seeds, unfinished });
  const tables = settings.dataSets.map((set) => ({
    title: DATA_SETS[set]?.title ?? 'Drawn faces',
    ...textTable(study, figures, set, isDrawn),
  }));
  const title = isDrawn ? `${study.title} (drawn faces)` : study.title;
  const drawn = study.picture ? await picture(study, figures, settings, title) : undefined;
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
  const json = { study: name, title, notes, seeds: settings.seeds, rows: figures };
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
  console.log(`\n${text}\n\n${place(join(settings.folder, name))}.{${Object.keys(files).join(',')}}`);
}

async function study() {
  const options = readOptions();
  if (options.help) return console.log(HELP);
  const { settings } = options;
  const plan = planStudy(options.study, settings);
  const states = new Map(plan.runs.map((run) => [run.name, stateOf(run)]));
  console.log(
    `${options.study.title}${settings.people ? ' (drawn faces)' : ''}, in ${place(settings.folder)}\n`,
  );
  console.log(planText(plan.runs, states));
  console.log(
    `${assumptionText(settings.speed, { people: settings.people, isGiven: options.isSpeedGiven })}\n`,
  );
  if (options.plan) return;
  const left = chosen(plan.runs, options);
  requireBuilt('faces', 'pretrain', 'finetune');
  if (settings.people && left.length > 0) await drawFaces(settings);
  for (const [i, run] of left.entries()) {
    say(`run ${i + 1} of ${left.length}: ${run.name}`);
    await make(run, plan.runs);
  }
  await writeTable(options, plan);
}

// Ctrl-C reaches the program that runs as well, which ends with a checkpoint; the study ends after it.
process.on('SIGINT', () => say('stopping after a checkpoint'));

try {
  await study();
} catch (error) {
  console.error(`[study] ${error.message}`);
  process.exitCode = 1;
}
