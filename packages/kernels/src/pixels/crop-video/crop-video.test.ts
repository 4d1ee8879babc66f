import { describe, expect, it } from 'vitest';
import { testKernel } from '../../testing/kernel-harness.js';
import { useRuntime } from '../../testing/test-runtime.js';
import { streamPurpose } from '../../philox/philox.js';
import { cropVideoKernel } from './crop-video.cases.js';
import { CROP_RECORD, cropVideo } from './crop-video.js';

describe('crop to video', () => {
  const runtime = useRuntime();

  testKernel(runtime, cropVideoKernel);

  it('refuses a video that does not hold the frames', () => {
    runtime().scope(() => {
      const [pixels, table] = [runtime().empty([16], 'u32'), runtime().empty([32], 'u32')];
      const jobs = runtime().empty([2, CROP_RECORD], 'u32');
      const video = runtime().empty([1, 3, 1, 4, 4]);
      const purpose = streamPurpose(11);
      expect(() => cropVideo(runtime(), { pixels, rowPixels: 4, jobs, table, video, purpose })).toThrow(
        /video is f32\[1, 3, 1, 4, 4\] and there are 2 jobs/,
      );
      const half = runtime().empty([1, 3, 2, 4, 4], 'f16');
      expect(() => cropVideo(runtime(), { pixels, rowPixels: 4, jobs, table, video: half, purpose })).toThrow(
        /video is f16.*contiguous f32/,
      );
    });
  });
});
