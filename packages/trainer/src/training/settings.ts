import type { RunConfig } from '../run/run-folder.js';

/** Settings that had no option once, with what they were then. */
const BEFORE_OPTIONS = { precision: 'f32' } as const;

/** The settings of a run to go on with, also of one that was begun when not all had an option. */
export function savedSettings({ settings }: Pick<RunConfig, 'settings'>): RunConfig['settings'] {
  return { ...BEFORE_OPTIONS, ...settings };
}
