import { join } from 'node:path';
import type { Metrics } from '@tubelet/trainer';
import { checkpointDirectory } from '@tubelet/trainer/formats';

/** The epoch with the best validation of a run. */
export interface BestEpoch {
  /** Counted from 0. */
  readonly epoch: number;
  readonly war: number;
  readonly uar: number;
}

/** Where a run keeps the weights of its best epoch. */
export function bestCheckpointPath(runDirectory: string): string {
  return join(checkpointDirectory(runDirectory), 'best.safetensors');
}

/** Whether a validation is better than the best before it: by WAR, as the published training has it, then by UAR. */
export function isBetter(now: Pick<BestEpoch, 'war' | 'uar'>, best: BestEpoch | undefined): boolean {
  if (best === undefined) return true;
  return now.war > best.war || (now.war === best.war && now.uar > best.uar);
}

/** The names under which validation is logged. */
export function validationMetrics({ loss, uar, war }: { loss: number; uar: number; war: number }): Metrics {
  return { 'validation/loss': loss, 'validation/uar': uar, 'validation/war': war };
}
