/** Runs `tubelet finetune` within the test. */
import { vi } from 'vitest';
import { trainCommand } from '../train/train-command.js';

/** A model and settings that learn a handful of small clips in seconds. */
const SMALL =
  '--model tiny --dim 32 --depth 1 --heads 1 --image-size 32 --frames 4 --frame-step 2 --region 1,2,2 --batch-size 6 ' +
  '--rand-augment-operations 0 --crop-area-min 1 --flip 0 --erasing 0 --mixup 0 --cutmix 0 --label-smoothing 0 ' +
  '--drop-path 0 --layer-decay 1 --warmup-epochs 0 --workers 1';

/** What a run says. */
export interface Said {
  readonly text: string;
}

/**
 * @param words options beside those of the small model, which they override
 * @returns all that was printed
 */
export async function trainInProcess(data: string, out: string, words: string): Promise<Said> {
  const lines: string[] = [];
  const keep = (...parts: unknown[]) => void lines.push(parts.join(' '));
  const spies = [
    vi.spyOn(console, 'log').mockImplementation(keep),
    vi.spyOn(process.stderr, 'write').mockImplementation((chunk) => (keep(String(chunk)), true)),
  ];
  try {
    const args = `--data csv --root ${data} --out ${out} ${SMALL} ${words}`.split(' ').filter(Boolean);
    await trainCommand().exitOverride().parseAsync(args, { from: 'user' });
    return { text: lines.join('\n') };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}
