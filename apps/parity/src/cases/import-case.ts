import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { finetuneStateDict, readPytorchCheckpoint } from '@tubelet/mae-dfer';
import type { GoldenFolder } from '../golden-folder.js';
import type { Report } from '../report.js';

/**
 * Checkpoints in the published format, `<name>.checkpoint-<epoch>.pth`, beside what loading them for fine-tuning must
 * give, `finetune_from_<name>.safetensors`.
 */
export function importCases(folder: GoldenFolder, report: Report): void {
  const files = folder.files('.pth');
  if (files.length === 0) report.omit('published checkpoints (.pth: not in this folder)');
  for (const file of files) {
    const name = file.replace(/\.checkpoint-\w+\.pth$/, '');
    const expected = folder.tensors(`finetune_from_${name}`);
    if (!expected) {
      report.omit(`${file} (there is no finetune_from_${name}.safetensors to compare with)`);
      continue;
    }
    const { tensors } = readPytorchCheckpoint(readFileSync(join(folder.path, file)));
    const shapes = new Map([...expected].map(([key, { shape }]) => [key, shape]));
    const loaded = finetuneStateDict(tensors, shapes).tensors;
    for (const [key, { data }] of expected) {
      const tensor = loaded.get(key);
      report.compare(
        file,
        `parameter imported: ${key}`,
        'exact',
        (tensor?.data ?? []) as ArrayLike<number>,
        data,
      );
    }
  }
}
