/** What can be read or seen on a page and stands out from its ground less than WCAG 2.2 asks for. */
export interface FaintPart {
  /** The text, or the name of the part. */
  readonly what: string;
  /** Contrast ratio, from 1 to 21. */
  readonly ratio: number;
  readonly needed: number;
}

/**
 * Measures every visible text (1.4.3: 4.5, and 3 for large type) and every line of a chart (1.4.11: 3) by its computed
 * style. Runs in the page, and so uses nothing from outside of itself.
 */
export function faintParts(): FaintPart[] {
  type Colour = readonly [number, number, number, number];
  const colourOf = (text: string): Colour => {
    const [r = 0, g = 0, b = 0, a = 1] = (text.match(/[\d.]+/g) ?? []).map(Number);
    return [r, g, b, a];
  };
  const over = ([r, g, b, a]: Colour, ground: Colour): Colour => [
    r * a + ground[0] * (1 - a),
    g * a + ground[1] * (1 - a),
    b * a + ground[2] * (1 - a),
    1,
  ];
  const groundOf = (element: Element | null): Colour => {
    if (!element) return [255, 255, 255, 1];
    const own = colourOf(getComputedStyle(element).backgroundColor);
    return own[3] === 1 ? own : over(own, groundOf(element.parentElement));
  };
  const luminance = (colour: Colour) => {
    const [r = 0, g = 0, b = 0] = colour.slice(0, 3).map((value) => {
      const share = value / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratioOf = (colour: string, element: Element) => {
    const ground = groundOf(element);
    const [a, b] = [over(colourOf(colour), ground), ground].map(luminance) as [number, number];
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  };

  const faint: FaintPart[] = [];
  const measured = (what: string, ratio: number, needed: number) => {
    if (ratio < needed) faint.push({ what, ratio, needed });
  };
  for (const element of document.querySelectorAll('body, body *')) {
    if (!element.checkVisibility()) continue;
    const style = getComputedStyle(element);
    if (element instanceof SVGPolylineElement)
      measured(`line ${style.stroke}`, ratioOf(style.stroke, element), 3);
    const text = [...element.childNodes]
      .filter((node) => node instanceof Text)
      .map((node) => node.data.trim());
    if (text.join('') === '') continue;
    const size = parseFloat(style.fontSize);
    const isLarge = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    measured(text.join(' ').trim(), ratioOf(style.color, element), isLarge ? 3 : 4.5);
  }
  return faint;
}
