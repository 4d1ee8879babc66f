import { createRequire } from 'node:module';
import type { ResvgRenderOptions } from '@resvg/resvg-js';

const FONT_FILES = ['DejaVuSans.ttf', 'DejaVuSans-Bold.ttf'];

/** The fonts of pictures: those of this package, none of the system's. */
export function resvgFonts(): NonNullable<ResvgRenderOptions['font']> {
  const { resolve } = createRequire(import.meta.url);
  return {
    loadSystemFonts: false,
    fontFiles: FONT_FILES.map((file) => resolve(`dejavu-fonts-ttf/ttf/${file}`)),
    defaultFontFamily: 'DejaVu Sans',
  };
}

export interface PngOptions {
  /** Width of the picture in pixels; twice the width of the SVG where it is not given. */
  readonly width?: number;
}

/**
 * Draws an SVG document as a PNG, with the DejaVu Sans fonts that come with this package and no others: the picture is
 * the same on every system.
 *
 * @throws RangeError for a width that is not a whole number of pixels
 * @throws Error when the SVG is not well-formed
 */
export async function svgToPng(svg: string, { width }: PngOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
  if (width !== undefined && !(Number.isSafeInteger(width) && width > 0)) {
    throw new RangeError(`width is ${width}; it must be a whole number of pixels`);
  }
  // Native code: only programs that draw pictures load it.
  const { renderAsync } = await import('@resvg/resvg-js');
  const image = await renderAsync(svg, {
    background: '#ffffff',
    fitTo: width === undefined ? { mode: 'zoom', value: 2 } : { mode: 'width', value: width },
    font: resvgFonts(),
  });
  return new Uint8Array(image.asPng());
}
