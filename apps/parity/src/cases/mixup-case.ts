import { mixClips, type Mix, type Runtime } from '@tubelet/kernels';
import { softTargets } from '@tubelet/video';
import {
  GoldenFolderError,
  numberField,
  optionalNumbers,
  type GoldenFolder,
  type Json,
} from '../golden-folder.js';
import type { Report } from '../report.js';

/** Mixup and CutMix of a batch with its reverse, with the recorded λ and boxes: clips and soft targets. */
export async function mixupCase(
  runtime: Runtime,
  folder: GoldenFolder,
  testCase: Json,
  report: Report,
): Promise<void> {
  const io = folder.tensors('mixup');
  if (!io) throw new GoldenFolderError('mixup.safetensors is missing');
  const tensor = (key: string) => {
    const found = io.get(key);
    if (!found) throw new GoldenFolderError(`mixup.safetensors has no "${key}"`);
    return found;
  };
  const draws = testCase['draws'];
  if (!Array.isArray(draws)) throw new GoldenFolderError('mixup: "draws" is not a list');
  for (const [i, draw] of (draws as Json[]).entries()) {
    const mix = recordedMix(draw);
    const clips = await runtime.scope(() => {
      const batch = runtime.upload(tensor('in').data, tensor('in').shape);
      mixClips(runtime, batch, mix);
      return runtime.read(batch);
    });
    report.compare('mixup', `out.${i}`, 'forward', clips, tensor(`out.${i}`).data);
    const expected = tensor(`target.${i}`);
    const targets = softTargets(tensor('label').data, expected.shape[1]!, 0.1, mix);
    report.compare('mixup', `target.${i}`, 'forward', targets, expected.data);
  }
}

function recordedMix(draw: Json): Mix {
  const lambda = numberField(draw, 'lam_effective', 'mixup');
  const box = optionalNumbers(draw, 'bbox_yl_yh_xl_xh');
  if (!box) return { lambda };
  const [top, bottom, left, right] = box as [number, number, number, number];
  return { lambda, box: { top, bottom, left, right } };
}
