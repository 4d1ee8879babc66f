import type { JsonValue, RunConfig } from '../run-folder.js';

/** Options that say how a run is watched, stored and computed: they do not change its result. */
const FREE = new Set([
  'out',
  'resume',
  'stopAfter',
  'saveEvery',
  'keep',
  'workers',
  'recompute',
  'profile',
  'debug',
  'autotune',
]);

/** Settings that had no option once, with what they were then. */
const BEFORE_OPTIONS = { precision: 'f32' } as const;

/** The settings of a run to go on with, also of one that was begun when not all had an option. */
export function savedSettings({ settings }: Pick<RunConfig, 'settings'>): RunConfig['settings'] {
  return { ...BEFORE_OPTIONS, ...settings };
}

/**
 * The settings that decide the result of a run, with the values in use: a resumed run must have the same.
 *
 * @param options as the command line gives them
 * @param withoutDefault options that are absent where they are not given: a run remembers them as null
 * @param free options of the program that do not change its result either
 */
export function decisiveSettings(
  options: object,
  withoutDefault: readonly string[],
  free: readonly string[] = [],
): Record<string, JsonValue> {
  const settings: Record<string, JsonValue> = {};
  for (const key of withoutDefault) settings[key] = null;
  for (const [key, value] of Object.entries(options)) {
    if (!FREE.has(key) && !free.includes(key)) settings[key] = value as JsonValue;
  }
  return settings;
}
