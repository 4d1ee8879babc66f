/** Runs a study: what is finished is not done again, what was interrupted is resumed. */
import { spawn } from 'node:child_process';
import { UserError } from '@tubelet/trainer';
import { labelledFaces, unlabelledFaces } from './faces-recipe.js';
import { optionWords } from './option-words.js';
import {
  assumptionText,
  planStudy,
  planText,
  requireEpochs,
  startOf,
  unlabelledPeople,
  type StudyRun,
  type StudySettings,
} from './study-plan.js';
import { writeTable } from './study-report.js';
import { stateOf, stepsOfEnded, stepsPerEpochOf } from './study-state.js';
import { studyOf } from './studies.js';

export interface StudyRequest {
  /** One of `STUDIES`. */
  readonly name: string;
  readonly settings: StudySettings;
  /** The real data sets that were given. */
  readonly named: readonly string[];
  /** Shows the runs alone. */
  readonly plan: boolean;
  /** Names of the runs to do; all where there are none. */
  readonly only: readonly string[];
  readonly isSpeedGiven: boolean;
  /** Folders of the drawn data. */
  readonly drawn?: { readonly labelled: string; readonly unlabelled: string };
  /** The script of the command, which runs as a process of its own for each training. */
  readonly program: string;
}

const say = (line: string) => console.log(`[study] ${line}`);

/** Runs a command in view of the user. It answers Ctrl-C itself, with a checkpoint. */
function runCommand(program: string, words: readonly string[]): Promise<void> {
  const shown = ['tubelet', ...words].map((word) => (/\s/.test(word) ? `"${word}"` : word));
  console.log(`\n$ ${shown.join(' ')}`);
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, ...words], { stdio: 'inherit' });
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (code === 0) resolve();
      else {
        const how = signal ?? `exit code ${code}`;
        reject(new UserError(`${words[0]} ended with ${how}; what it said is above.`));
      }
    });
  });
}

/** Epochs of a pre-training: those that it was trained for, or will be. */
function epochsOf({ folder, epochs }: StudyRun): number {
  const steps = stepsOfEnded(folder);
  return steps === undefined ? epochs : Math.floor(steps / stepsPerEpochOf(folder));
}

/** Begins a run, or goes on with it. */
async function make(
  run: StudyRun,
  runs: readonly StudyRun[],
  { settings, program }: StudyRequest,
): Promise<void> {
  const from: string[] = [];
  const pretrained = runs.find(({ name }) => name === run.needs);
  if (pretrained) {
    if (stateOf(pretrained) !== 'finished') {
      throw new UserError(`${run.name} begins with ${run.needs}, which is not finished: run that first.`);
    }
    // Once more: the options may have changed its epochs in a file.
    requireEpochs([run], runs, epochsOf);
    from.push('--from', settings.place(startOf(run, pretrained, stepsPerEpochOf(pretrained.folder))));
  }
  await runCommand(program, [...run.words, ...from, '--resume', 'auto']);
  if (stateOf(run) !== 'finished') throw new UserError('Stopped; the same command goes on from here.');
}

/** The runs that this call is to do. */
function chosen(
  runs: readonly StudyRun[],
  { only, named, settings: { people, sources } }: StudyRequest,
): StudyRun[] {
  const unknown = only.find((name) => !runs.some((run) => run.name === name));
  if (unknown !== undefined) {
    const names = runs.map(({ name }) => name).join(', ');
    throw new UserError(`--only ${unknown} is not a run of it; these are: ${names}.`);
  }
  const left = runs.filter(
    (run) => (only.length === 0 || only.includes(run.name)) && stateOf(run) !== 'finished',
  );
  if (!people && sources.length === 0 && left.some(({ program }) => program === 'pretrain')) {
    throw new UserError(
      'There is pre-training to do: give its videos as --voxceleb2 SOURCE, or --miniature.',
    );
  }
  if (!people && named.length === 0 && left.some(({ program }) => program === 'finetune')) {
    throw new UserError('Give the data sets to test on: --dfew FOLDER, --ferv39k FOLDER or both.');
  }
  return left;
}

/** Draws both sets; what is there already takes a moment. */
async function drawFaces(people: number, { drawn, program }: StudyRequest): Promise<void> {
  const { labelled, unlabelled } = drawn!;
  for (const options of [
    { out: labelled, subjects: people, ...labelledFaces },
    { out: unlabelled, subjects: unlabelledPeople(people), ...unlabelledFaces },
  ])
    await runCommand(program, ['faces', ...optionWords(options)]);
}

/** Shows the plan, does what is left of it, and writes the table. */
export async function runStudy(request: StudyRequest): Promise<void> {
  const { name, settings } = request;
  const { people, folder, place } = settings;
  const study = studyOf(name);
  const plan = planStudy(study, settings);
  console.log(`${study.title}${people ? ' (drawn faces)' : ''}, in ${place(folder)}\n`);
  console.log(planText(plan.runs, stateOf));
  console.log(`${assumptionText(settings, request.isSpeedGiven)}\n`);
  if (request.plan) return;
  const left = chosen(plan.runs, request);
  requireEpochs(left, plan.runs, epochsOf);
  // The program that runs gets Ctrl-C as well and ends with a checkpoint; the study ends after it.
  process.on('SIGINT', () => say('stopping after a checkpoint'));
  if (people && left.length > 0) await drawFaces(people, request);
  for (const [i, run] of left.entries()) {
    say(`run ${i + 1} of ${left.length}: ${run.name}`);
    await make(run, plan.runs, request);
  }
  await writeTable(name, study, settings, plan);
}
