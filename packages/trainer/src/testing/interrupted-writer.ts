/**
 * A process to be killed: `node interrupted-writer.mjs RUN STEP PAUSE_AT` writes the checkpoint of STEP and,
 * at the PAUSE_AT-th call to the file system, does half of what a write would do, says `paused CALL` and
 * waits for its end. With PAUSE_AT 0 it never pauses and goes on with the steps after, saying `saved STEP`.
 */
import { saveCheckpoint } from '../formats/checkpoint.js';
import { checkpointPath } from '../formats/checkpoint-folder.js';
import { nodeFileSystem, type WriteFileSystem, type WriteHandle } from '../formats/file-write.js';
import { contentOfStep } from './checkpoint-content.js';

const [runDirectory = '', firstStep = '', pauseAt = ''] = process.argv.slice(2);
let calls = 0;

async function pausePoint(call: string, half?: () => Promise<unknown>): Promise<void> {
  if (++calls !== Number(pauseAt)) return;
  await half?.();
  process.stdout.write(`paused ${call}\n`);
  // The interval keeps the process alive; only a signal ends it.
  await new Promise(() => setInterval(() => undefined, 60_000));
}

function pausingHandle(handle: WriteHandle): WriteHandle {
  return {
    async write(bytes, offset, length, position) {
      await pausePoint('write', () => handle.write(bytes, offset, length >> 1, position));
      return handle.write(bytes, offset, length, position);
    },
    async sync() {
      await pausePoint('sync');
      await handle.sync();
    },
    async close() {
      await pausePoint('close');
      await handle.close();
    },
  };
}

const pausingFileSystem: WriteFileSystem = {
  ...nodeFileSystem,
  async open(path, flags) {
    await pausePoint('open', () => nodeFileSystem.open(path, flags));
    return pausingHandle(await nodeFileSystem.open(path, flags));
  },
  async rename(from, to) {
    await pausePoint('rename');
    await nodeFileSystem.rename(from, to);
  },
};

for (let step = Number(firstStep); ; step++) {
  await saveCheckpoint(checkpointPath(runDirectory, step), contentOfStep(step), pausingFileSystem);
  process.stdout.write(`saved ${step}\n`);
  if (Number(pauseAt) > 0) break;
}
