import { textTable } from '@tubelet/trainer/formats';
import type { TunedClass } from './tune.js';

const HEADINGS = ['kernel', 'shapes up to', 'shipped', 'ms', 'others, of its time', 'chosen'];

/** The table that `tune` prints: a line for each class of shapes; ratios below 1 are faster than the shipped choice. */
export function formatTuned(tuned: readonly TunedClass[]): string {
  const rows = tuned.map(({ kernel, extents, form, shipped, shippedSeconds, comparisons, wrong, chosen }) => [
    kernel,
    shapeText(kernel, extents, form),
    shipped,
    (1000 * shippedSeconds).toFixed(3),
    comparisons
      .map(({ variant, ratio }) => `${variant} ${ratio.toFixed(2)}${wrong.includes(variant) ? ' WRONG' : ''}`)
      .join(', '),
    chosen === shipped ? '' : chosen,
  ]);
  return textTable([HEADINGS, ...rows], new Set([3]));
}

// What the forms of a kernel's classes are; the others have one.
const FORMS: Readonly<Record<string, readonly string[]>> = { matmul: ['NN', 'NT', 'TN'] };

function shapeText(kernel: string, extents: readonly number[], form: number): string {
  const last = extents.findLastIndex((extent) => extent > 1);
  const text = extents.slice(0, last + 1).join('×') || '1';
  const name = FORMS[kernel]?.[form] ?? (form === 0 ? '' : `form ${form}`);
  return `${text} ${name}`.trimEnd();
}
