/**
 * Colours of classes and curves: six of Okabe and Ito's (“Color Universal Design”, 2008) and five found by adding, one
 * at a time, the colour farthest in CIELAB from all before it under normal vision and the three simulated colour
 * vision deficiencies of Machado et al. (2009).
 */
export const CLASS_COLOURS = [
  '#0072B2',
  '#E69F00',
  '#009E73',
  '#CC79A7',
  '#56B4E9',
  '#D55E00',
  '#301830',
  '#9024FC',
  '#6C240C',
  '#C0E490',
  '#001890',
] as const;

/** A symbol for each class beside its colour; 7 and 11 have no common factor, so 77 classes differ in one or both. */
export const CLASS_SYMBOLS = ['circle', 'triangle', 'square', 'diamond', 'cross', 'star', 'wye'] as const;

/** Halfway to white. */
function paler(colour: string): string {
  const channels = [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16));
  return `#${channels.map((value) => ((value + 255) >> 1).toString(16).padStart(2, '0')).join('')}`;
}

/**
 * The colour of class `index`. The first eleven are told apart with any colour vision; the next eleven are paler forms
 * of them, and after 22 they begin again.
 */
export function classColour(index: number): string {
  const colour = CLASS_COLOURS[index % CLASS_COLOURS.length] ?? '#000000';
  return Math.floor(index / CLASS_COLOURS.length) % 2 === 0 ? colour : paler(colour);
}

/** The symbol of class `index`. */
export function classSymbol(index: number): (typeof CLASS_SYMBOLS)[number] {
  return CLASS_SYMBOLS[index % CLASS_SYMBOLS.length] ?? 'circle';
}
