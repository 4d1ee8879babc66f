/**
 * A value of somebody else's file as an error message shows it: as JSON, cut off where it is long. What JSON cannot say
 * (a circle, an object nested more deeply than the stack is) is named by its kind.
 */
export function shown(value: unknown, mostCharacters = 200): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch {
    text = undefined;
  }
  text ??= typeof value === 'object' ? 'an object that cannot be shown' : String(value);
  return text.length > mostCharacters ? `${text.slice(0, mostCharacters)}…` : text;
}
