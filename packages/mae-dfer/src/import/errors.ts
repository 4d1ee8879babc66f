/** A file is not a checkpoint that can be read: not PyTorch's zip format, damaged, or without weights in it. */
export class CheckpointFormatError extends Error {
  override readonly name = 'CheckpointFormatError';
}
