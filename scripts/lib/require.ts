/** @throws Error with the output of what was tested, unless the condition holds */
export function require(condition: unknown, message: string, output = ''): asserts condition {
  if (!condition) throw new Error(`${message}\n${output}`);
}
