/**
 * Checks a copy of a labelled data set.
 *
 * ```ts
 * const check = await checkDataset(await openDataset({ name: 'dfew', root: '/data/DFEW' }));
 * for (const { severity, title, findings } of groupFindings(check.findings)) {
 *   console.log(severity, findings.length, title, findings[0]);
 * }
 * ```
 */
export {
  checkDataset,
  unopenedCheck,
  type CheckDatasetOptions,
  type DatasetCheck,
  type FrameCounts,
} from './check-dataset';
export { PARTS, type FoldCounts, type Part, type PartCounts } from './check-splits';
export { groupFindings, type Finding, type FindingGroup, type FindingKind, type Severity } from './finding';
export type { FrameSizeCount } from './frame-sizes';
