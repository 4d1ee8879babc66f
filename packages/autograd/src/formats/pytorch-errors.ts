/** A file is not a checkpoint that can be read: not PyTorch's zip format, damaged, or without weights in it. */
export class CheckpointFormatError extends Error {
  override readonly name = 'CheckpointFormatError';
}

/** A checkpoint wants functions called that no checkpoint needs. */
export class HostilePickleError extends Error {
  override readonly name = 'HostilePickleError';

  constructor(readonly callees: readonly string[]) {
    super(
      `its pickle wants ${callees.join(', ')} to be called, which no checkpoint needs and which would take hold of a ` +
        'machine that loads it with PyTorch. Nothing of it was run. Do not open this file with torch.load; get the ' +
        'checkpoint from its authors again.',
    );
  }
}
