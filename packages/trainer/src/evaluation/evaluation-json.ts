import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { errorMessage, UserError } from '../errors.js';
import { jsonProblem } from '../json-problem.js';
import type { EvaluationContext } from './context.js';
import { evaluationOf, type Evaluation } from './evaluation.js';
import { mergeFolds, type MergedEvaluation } from './folds.js';

const LINE_WIDTH = 150;

/**
 * JSON with what fits on a line on a line, so that lists of numbers stay readable. Numbers that are not finite become
 * null, since JSON has none.
 */
export function readableJson(value: unknown, indent = ''): string {
  const line = JSON.stringify(value) ?? 'null';
  if (typeof value !== 'object' || value === null || indent.length + line.length <= LINE_WIDTH) return line;
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    const items = value.map((item: unknown) => inner + readableJson(item, inner));
    return `[\n${items.join(',\n')}\n${indent}]`;
  }
  const entries = Object.entries(value)
    .filter(([, entry]) => entry !== undefined)
    .map(([key, entry]) => `${inner}${JSON.stringify(key)}: ${readableJson(entry, inner)}`);
  return `{\n${entries.join(',\n')}\n${indent}}`;
}

/** An evaluation with its context as the text of a JSON file. */
export function evaluationJson(
  result: Evaluation | MergedEvaluation,
  { notes, settings, published, publishedFolds }: EvaluationContext = {},
): string {
  return `${readableJson({ ...result, context: { notes, settings, published, publishedFolds } })}\n`;
}

/** What an evaluation's file must hold. More classes would fill the memory with their confusion matrix. */
const FILE = z.object({
  dataset: z.string(),
  fold: z.int(),
  part: z.string(),
  checkpoint: z.string(),
  clipsPerVideo: z.int(),
  classNames: z.array(z.string()).min(1).max(10_000),
  leftOut: z.array(z.looseObject({ id: z.string(), reason: z.string() })),
  videos: z.array(
    z.looseObject({
      id: z.string(),
      label: z.int().optional(),
      probabilities: z.array(z.number()),
      predicted: z.int(),
    }),
  ),
});

/**
 * Reads the `evaluation.json` of one fold, as `writeEvaluation` left it. Its metrics are computed again from its
 * predictions.
 *
 * @throws UserError when there is none, it is damaged, or it is one of a cross-validation
 */
export async function readEvaluation(path: string): Promise<Evaluation> {
  return evaluationFrom(path, await readJson(path));
}

/**
 * Reads the `evaluation.json` of one fold or of a cross-validation.
 *
 * @throws UserError when there is none, or it is damaged
 */
export async function readResult(path: string): Promise<Evaluation | MergedEvaluation> {
  const value = await readJson(path);
  const isCrossValidation = typeof value === 'object' && value !== null && 'folds' in value;
  if (!isCrossValidation) return evaluationFrom(path, value);
  const { folds } = value;
  return mergeFolds(Array.isArray(folds) ? folds.map((fold) => evaluationFrom(path, fold)) : []);
}

async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    throw new UserError(`cannot read the evaluation ${path}: ${errorMessage(error)}`, { cause: error });
  }
}

function evaluationFrom(path: string, value: unknown): Evaluation {
  const problem = jsonProblem(FILE, value);
  if (problem !== undefined) {
    throw new UserError(`${path} is not an evaluation of a fold: ${problem}. Evaluate the fold again.`);
  }
  const { dataset, fold, part, checkpoint, clipsPerVideo, classNames, leftOut, videos } = value as Evaluation;
  try {
    return evaluationOf({ dataset, fold, part, checkpoint, clipsPerVideo, classNames, leftOut }, videos);
  } catch (error) {
    throw new UserError(
      `${path} is damaged: ${errorMessage(error).slice(0, 400)}. Evaluate the fold again.`,
      {
        cause: error,
      },
    );
  }
}
