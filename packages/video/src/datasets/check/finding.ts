/** What a check of a data set can find. */
import type { DatasetProblem } from '../dataset.js';

/** `error`: results would be wrong or training would stop; `warning`: worth a look; `info`: good to know. */
export type Severity = 'error' | 'warning' | 'info';

/** Every kind of finding: how grave it is, and what stands above a list of them. In the order of a report. */
export const FINDING_KINDS = {
  'missing-part': { severity: 'error', title: 'parts that are missing' },
  archive: { severity: 'error', title: 'archives that are missing, incomplete or not unpacked' },
  listing: { severity: 'error', title: 'label files, lines or folder names that are missing or wrong' },
  'published-size': { severity: 'error', title: 'counts that differ from the published ones' },
  'missing-person': { severity: 'error', title: 'people who are missing' },
  'other-part': { severity: 'error', title: 'people who belong to the other part' },
  'empty-folder': { severity: 'error', title: 'folders without clips' },
  'other-label': { severity: 'error', title: 'clips whose label differs between folds' },
  'same-content-in-train-and-test': {
    severity: 'error',
    title: 'clips of train and test with the same content',
  },
  'subject-in-train-and-test': { severity: 'error', title: 'subjects in both train and test' },
  'missing-clip': { severity: 'error', title: 'clips that are listed but not there' },
  'empty-clip': { severity: 'error', title: 'clips without frames' },
  'empty-file': { severity: 'error', title: 'frames of 0 bytes' },
  unreadable: { severity: 'error', title: 'clips that cannot be decoded' },
  'class-without-clips': { severity: 'warning', title: 'classes without clips in a part' },
  'same-content': { severity: 'warning', title: 'clips of one part with the same content' },
  'file-extension': { severity: 'warning', title: 'clips whose frames have another file extension' },
  'frame-numbers': { severity: 'warning', title: 'clips with gaps in the frame numbers' },
  'equal-lengths': { severity: 'warning', title: 'clips that all have the same number of frames' },
  'not-square': { severity: 'warning', title: 'clips whose frames are not square' },
  'face-crops': {
    severity: 'warning',
    title: 'faces that lie otherwise in their frames than the protocol’s',
  },
  'small-frames': { severity: 'warning', title: 'clips with frames smaller than the model takes' },
  'changing-size': { severity: 'warning', title: 'clips whose frames differ in size' },
  'odd-size': { severity: 'warning', title: 'clips with frames of a rare size' },
  'other-size': { severity: 'warning', title: 'clips of another frame size' },
  'other-rate': { severity: 'warning', title: 'clips of another frame rate' },
  stray: { severity: 'warning', title: 'files and folders that do not belong there' },
  'no-test-part': { severity: 'info', title: 'no test part' },
  'single-frame': { severity: 'info', title: 'clips of a single frame' },
  'short-clip': { severity: 'info', title: 'clips with fewer frames than a clip spans' },
  'left-out': { severity: 'info', title: 'clips and files that the protocol leaves out' },
  'unlisted-clip': { severity: 'info', title: 'clips on the disk that are not listed' },
  'not-searched': { severity: 'info', title: 'folders not searched for clips that are not listed' },
} as const satisfies Record<string, { severity: Severity; title: string }>;

export type FindingKind = keyof typeof FINDING_KINDS;

/** One thing that a check found. `where` is a file with its line, a clip, or a part of a fold. */
export interface Finding extends DatasetProblem {
  readonly kind: FindingKind;
  readonly severity: Severity;
}

/** Findings of one kind. */
export interface FindingGroup {
  readonly kind: FindingKind;
  readonly severity: Severity;
  /** What the findings are, in the plural. */
  readonly title: string;
  readonly findings: readonly Finding[];
}

/** Makes a finding; its kind says how grave it is. */
export function finding(kind: FindingKind, problem: DatasetProblem): Finding {
  const { where, problem: what, remedy } = problem;
  return { kind, severity: FINDING_KINDS[kind].severity, where, problem: what, remedy };
}

const KIND_ORDER = Object.keys(FINDING_KINDS) as FindingKind[];

/** Findings by kind, errors first; within a kind in the order in which they are given. Kinds not found are left out. */
export function groupFindings(findings: readonly Finding[]): FindingGroup[] {
  return KIND_ORDER.flatMap((kind) => {
    const ofKind = findings.filter((one) => one.kind === kind);
    return ofKind.length === 0 ? [] : [{ kind, ...FINDING_KINDS[kind], findings: ofKind }];
  });
}
