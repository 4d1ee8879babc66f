/** The job's ranks cannot be joined: no library, the wrong one, or ranks that are not there. */
export class MpiError extends Error {
  override readonly name = 'MpiError';
}
