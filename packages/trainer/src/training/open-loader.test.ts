import { ClipLoader } from '@tubelet/video';
import { expect, it } from 'vitest';
import { UserError } from '../errors.js';
import { BadFiles } from './bad-files.js';
import { openLoader } from './open-loader.js';
import { silentProgress } from './ranks.js';

it('names the flags for what does not fit the videos', async () => {
  const settings = { batchSize: 4, seed: 0, frameStep: 4, crop: 'centre', workers: 1 } as const;
  const opening = openLoader(
    settings,
    new BadFiles(silentProgress),
    { rank: 0, ranks: 1, localRanks: 1 },
    (shared) => ClipLoader.open({ ...shared, entries: [{ path: 'a.mp4' }] }),
  );
  await expect(opening).rejects.toThrow(UserError);
  await expect(opening).rejects.toThrow(
    'A batch takes 4 clips and the data set gives 1 in an epoch: lower --batch-size, or raise --clips-per-video.',
  );
});
