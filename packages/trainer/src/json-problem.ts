import { shown } from '@tubelet/kernels';
import type { z } from 'zod';

/** What first keeps parsed JSON from being what a schema says, as `"place" is value`; undefined where nothing does. */
export function jsonProblem(schema: z.ZodType, value: unknown): string | undefined {
  const issue = schema.safeParse(value).error?.issues[0];
  if (issue === undefined) return undefined;
  const found = issue.path.reduce(
    (inner, key) => (inner as Record<PropertyKey, unknown> | null | undefined)?.[key],
    value,
  );
  const what = found === undefined ? 'missing' : shown(found);
  return issue.path.length === 0 ? `it is ${what}` : `"${issue.path.join('.')}" is ${what}`;
}
