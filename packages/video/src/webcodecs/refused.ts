/** A video, or a clip of one, that is left to ffmpeg, and why. */
export class RefusedVideoError extends Error {
  override readonly name = 'RefusedVideoError';
}
