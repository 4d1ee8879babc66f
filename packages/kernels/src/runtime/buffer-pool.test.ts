import { describe, expect, it } from 'vitest';
import { gelu } from '../gelu/gelu.js';
import { useRuntime } from '../testing/test-runtime.js';

describe('buffer pool', () => {
  const runtime = useRuntime();

  // Releases in another order than it asks, as a backward pass does.
  const step = () =>
    runtime().scope(() => {
      const arrays = [1, 2, 3, 4].map(() => runtime().empty([64]));
      for (let i = 1; i < arrays.length; i++) gelu(runtime(), arrays[i - 1]!, arrays[i]!);
      runtime().release(arrays[2]!);
      runtime().release(arrays[0]!);
      const late = runtime().empty([64]);
      gelu(runtime(), arrays[3]!, late);
    });

  it('gives a step the buffers that the step before had, so that no bind group is made anew', () => {
    step();
    const { bindGroupsCreated } = runtime().counters;
    const { createdBuffers } = runtime().pool;
    for (let i = 0; i < 5; i++) step();
    expect(runtime().counters.bindGroupsCreated).toBe(bindGroupsCreated);
    expect(runtime().pool.createdBuffers).toBe(createdBuffers);
  });

  it('leaves nothing handed out when a step ends', () => {
    const { liveBytes } = runtime().pool;
    step();
    expect(runtime().pool.liveBytes).toBe(liveBytes);
  });
});
