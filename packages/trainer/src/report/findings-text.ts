/** What a check of a data set has found, for people. */
import { groupFindings, type Finding, type FindingGroup, type Severity } from '@tubelet/video';

/** Of each kind of finding, so many are shown. */
const SHOWN = 5;

const number = (value: number): string => value.toLocaleString('en');

/** Such as `1,234 clips`. */
export const counted = (count: number, thing: string): string =>
  `${number(count)} ${thing}${count === 1 ? '' : 's'}`;

/** How many findings there are of each severity. */
export function tally(findings: readonly Finding[]): Record<Severity, number> {
  const counts = { error: 0, warning: 0, info: 0 };
  for (const { severity } of findings) counts[severity]++;
  return counts;
}

/** Such as `2 errors, 1 warning, 0 notes`. */
export function formatTally({ error, warning, info }: Record<Severity, number>): string {
  return [counted(error, 'error'), counted(warning, 'warning'), counted(info, 'note')].join(', ');
}

/** Paragraphs: of each kind of finding the first few, and at the end how many there are of each severity. */
export function formatFindings(findings: readonly Finding[]): string[] {
  if (findings.length === 0) return ['nothing wrong was found'];
  return [...groupFindings(findings).map(formatGroup), formatTally(tally(findings))];
}

const SEVERITY_NAMES: Readonly<Record<Severity, string>> = {
  error: 'ERROR',
  warning: 'WARNING',
  info: 'NOTE',
};

function formatGroup({ severity, title, findings }: FindingGroup): string {
  const shown = findings.slice(0, SHOWN);
  const more = findings.length - shown.length;
  const oneRemedy = shown.every(({ remedy }) => remedy === shown[0]!.remedy);
  return [
    `${SEVERITY_NAMES[severity]}  ${title}: ${number(findings.length)}`,
    ...shown.flatMap(({ where, problem, remedy }) => [
      `  ${where}: ${problem}`,
      ...(oneRemedy ? [] : [`    → ${remedy}`]),
    ]),
    ...(more > 0 ? [`  … and ${number(more)} more`] : []),
    ...(oneRemedy ? [`  → ${shown[0]!.remedy}`] : []),
  ].join('\n');
}
