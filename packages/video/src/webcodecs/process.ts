/**
 * The decoder process: answers one request after the other, and ends with its parent. The library lives in a process
 * of its own since it crashes in worker threads, and since a file that brings it down then costs one clip.
 */
import { decodeFrames, probeContainer, type WebCodecs } from './decode-frames';
import type { ProcessRequest, ProcessResponse } from './protocol';

const send = (response: ProcessResponse) => process.send?.(response);
const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

// Not an orderly exit: that would wait for a decoder that hangs.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));

async function answer(library: WebCodecs, request: ProcessRequest): Promise<ProcessResponse> {
  try {
    const value =
      request.kind === 'probe'
        ? await probeContainer(library, request.path)
        : await decodeFrames(library, request);
    return { kind: 'done', value };
  } catch (error) {
    // Whatever went wrong, ffmpeg has the last word on the file.
    return { kind: 'refused', reason: messageOf(error) };
  }
}

try {
  const library: WebCodecs = await import('@napi-rs/webcodecs');
  process.on('message', (request: ProcessRequest) => void answer(library, request).then(send));
  send({ kind: 'ready' });
} catch (error) {
  send({ kind: 'ready', failure: messageOf(error) });
}
