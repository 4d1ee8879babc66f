/** Small pieces of SVG. */

/** A number as SVG has it; hundredths are below what a pixel shows. */
export function n(value: number): string {
  return String(Math.round(value * 100) / 100);
}

export type Attributes = Readonly<Record<string, string | number | undefined>>;

/** An element; attributes that are undefined are left out. */
export function element(name: string, attributes: Attributes, content = ''): string {
  let text = `<${name}`;
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined) text += ` ${key}="${typeof value === 'number' ? n(value) : value}"`;
  }
  return content === '' ? `${text}/>` : `${text}>${content}</${name}>`;
}

/** Path data out of commands and numbers: `path('M', 0, 0, 'L', 10, 5)`. */
export function path(...parts: readonly (string | number)[]): string {
  return parts.map((part) => (typeof part === 'number' ? n(part) : part)).join(' ');
}

export const degrees = (radians: number): number => (radians * 180) / Math.PI;

function channels(colour: string): [number, number, number] {
  const match = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(colour);
  if (match === null) throw new RangeError(`the colour ${colour} is not written as #rrggbb`);
  return [match[1], match[2], match[3]].map((text) => parseInt(text as string, 16)) as [
    number,
    number,
    number,
  ];
}

/** The colour at `share` (0 … 1) of the way from one `#rrggbb` to another. */
export function mix(from: string, to: string, share: number): string {
  const end = channels(to);
  return `#${channels(from)
    .map((value, i) => Math.round(value + ((end[i] as number) - value) * share))
    .map((value) => value.toString(16).padStart(2, '0'))
    .join('')}`;
}

export const darker = (colour: string, share: number): string => mix(colour, '#1a0d08', share);
export const lighter = (colour: string, share: number): string => mix(colour, '#ffffff', share);
