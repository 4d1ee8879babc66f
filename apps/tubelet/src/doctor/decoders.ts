import type * as Video from '@tubelet/video';
import { missing, ok, type Finding } from './system.js';

const NATIVE_FFMPEG = 'Debian, Ubuntu: apt-get install ffmpeg      or FFMPEG_PATH=/path/to/ffmpeg';

/** What decodes video on this machine. */
export async function diagnoseDecoders(): Promise<Finding[]> {
  let video: typeof Video;
  try {
    video = await import('@tubelet/video');
  } catch (error) {
    const message = `@tubelet/video does not load: ${(error as Error).message}`;
    return [missing('Video', message, ['npm install      with optional packages, on this system'])];
  }
  return [await webCodecs(video), ...(await ffmpeg(video))];
}

async function webCodecs(video: typeof Video): Promise<Finding> {
  const topic = 'Video';
  try {
    if (video.wantedDecoder() === 'ffmpeg') return ok(topic, 'TUBELET_DECODER leaves every file to ffmpeg');
    const { version } = await video.tryWebCodecs();
    return ok(topic, `@napi-rs/webcodecs ${version} decodes; what it cannot read is for ffmpeg`);
  } catch (error) {
    if (!(error instanceof video.WebCodecsNotFoundError)) return missing(topic, (error as Error).message, []);
    return missing(topic, `ffmpeg decodes every file, since ${error.message}`, [
      'npm install @napi-rs/webcodecs',
    ]);
  }
}

async function ffmpeg(video: typeof Video): Promise<Finding[]> {
  const topic = 'ffmpeg';
  try {
    const found = await video.resolveFfmpeg();
    const { version, reason } = found;
    const path = found.kind === 'native' ? found.path : found.scriptPath;
    const finding = ok(topic, `${version}, ${path}: ${reason}`);
    if (found.kind === 'native') return [finding];
    const slow = 'a native ffmpeg decodes whole files about three times as fast.';
    return [finding, missing(topic, slow, [NATIVE_FFMPEG])];
  } catch (error) {
    return [missing(topic, (error as Error).message, [NATIVE_FFMPEG])];
  }
}
