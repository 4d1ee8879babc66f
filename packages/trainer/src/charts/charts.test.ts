import { Resvg } from '@resvg/resvg-js';
import { parseHTML } from 'linkedom';
import { describe, expect, it } from 'vitest';
import { randomScores } from '../evaluation/testing/scores.js';
import { barChart } from './bar-chart.js';
import { confusionMatrixChart } from './confusion-matrix.js';
import { labelDistributionChart } from './label-distribution.js';
import { lineChart } from './line-chart.js';
import { resvgFonts, svgToPng } from './png.js';
import { pictureGrid } from './picture-grid.js';
import { scatterChart } from './scatter-chart.js';
import { textWidthPx } from './svg.js';
import { timelineChart } from './timeline-chart.js';

const SEVEN = ['happy', 'sad', 'neutral', 'angry', 'surprise', 'disgust', 'fear'];
const ELEVEN =
  'anger disgust fear happiness neutral sadness surprise contempt anxiety helplessness disappointment'.split(
    ' ',
  );
const ODD = ['<b>&"bold"</b>', "it's"];

function texts(svg: string, selector = 'text'): string[] {
  const { document } = parseHTML(svg);
  return [...document.querySelectorAll(selector)].map((text) => text.textContent ?? '');
}

function confusionOf(classes: number): number[][] {
  const confusion = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  for (const { label, predicted } of randomScores(1000, classes, 5)) confusion[label]![predicted]! += 1;
  return confusion;
}

const CURVES = ELEVEN.map((name, i) => ({ name, x: [1, 2, 3, 400], y: [0.5, i, NaN, 12_345.678] }));

/** Every chart with short, long and odd names. */
const CHARTS = [SEVEN, ELEVEN, ODD].flatMap((classNames): [string, string][] => {
  const first = classNames[0] ?? '';
  const confusion = confusionOf(classNames.length);
  const counts = confusion.map((row) => row.reduce((sum, count) => sum + count, 0));
  const points = randomScores(300, classNames.length, 9).map(({ label, probabilities }) => ({
    x: probabilities[0] ?? 0,
    y: probabilities[1] ?? 0,
    label: label === 1 ? null : label,
  }));
  const moments = randomScores(20, classNames.length, 2).map(({ probabilities }, i) => ({
    seconds: 0.5 + i,
    probabilities,
  }));
  return [
    ['confusion', confusionMatrixChart({ title: `${first}: confusion`, confusion, classNames })],
    [
      'labels',
      labelDistributionChart({
        title: `${first}: labels`,
        classNames,
        groups: [
          { name: 'train', counts: counts.map((count) => 1000 * count) },
          { name: 'test', counts: counts.map(() => 0) },
        ],
      }),
    ],
    ['scatter', scatterChart({ title: `${first}: t-SNE`, points, classNames })],
    [
      'grid',
      pictureGrid(
        `${first}: three scatters`,
        ['one', 'two', 'three'].map((title) => scatterChart({ title, points, classNames })),
      ),
    ],
    ['timeline', timelineChart({ title: `${first}: timeline`, points: moments, classNames })],
    [
      'lines',
      lineChart({
        title: `${first}: a title that is longer than usual`.repeat(3),
        xLabel: 'step',
        yLabel: 'loss',
        curves: CURVES,
      }),
    ],
  ].map(([name, svg]): [string, string] => [`${name} of ${first}`, svg ?? '']);
});

describe('every chart', () => {
  it.each(CHARTS)('%s stands alone and is not cut off', async (_name, svg) => {
    expect(svg).toMatch(
      /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" width="[\d.]+" height="[\d.]+" viewBox/,
    );
    expect(svg).toMatch(/<title>[^<]+<\/title><rect [^>]*fill="#ffffff"/);
    expect(svg).not.toMatch(/<(figure|div|span|style|script|b>)|url\(|href=|NaN|undefined/);

    // Without its white ground, all that is drawn lies within the document. Drawing also refuses what is not XML.
    const drawing = new Resvg(svg.replace(/<rect width="100%"[^>]*(\/>|><\/rect>)/, ''), {
      font: resvgFonts(),
    });
    const box = drawing.getBBox();
    expect(box).toBeDefined();
    expect(box?.x).toBeGreaterThanOrEqual(2);
    expect(box?.y).toBeGreaterThanOrEqual(2);
    expect((box?.x ?? 0) + (box?.width ?? 0)).toBeLessThanOrEqual(drawing.width - 2);
    expect((box?.y ?? 0) + (box?.height ?? 0)).toBeLessThanOrEqual(drawing.height - 2);
  });
});

describe('textWidthPx', () => {
  it.each([...SEVEN, ...ELEVEN, ...ODD, 'wwwmmm', '12345 (67.8 %)', 'validation/uar'])(
    'has room for %s',
    (text) => {
      const escaped = text.replace(/&/g, '&amp;').replace(/</g, '&lt;');
      const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="400" height="50"><text y="20" font-size="12">${escaped}</text></svg>`;
      const drawn = new Resvg(svg, { font: resvgFonts() }).getBBox()?.width ?? Infinity;
      expect(textWidthPx(text)).toBeGreaterThanOrEqual(drawn);
      expect(textWidthPx(text)).toBeLessThan(1.35 * drawn + 4);
    },
  );
});

describe('confusionMatrixChart', () => {
  it('shows shares of rows with counts, and leaves rows of absent classes empty', () => {
    const confusion = [
      [3, 1, 0],
      [1, 1, 0],
      [0, 0, 0],
    ];
    const shown = texts(confusionMatrixChart({ title: 'T', confusion, classNames: ['a', 'b', 'c'] }));
    const shares = shown.filter((text) => /^\d+\.\d$/.test(text));
    expect(shares).toEqual(['75.0', '25.0', '0.0', '50.0', '50.0', '0.0']);
    expect(shown.filter((text) => /^\d+$/.test(text))).toEqual(['3', '1', '0', '1', '1', '0']);
    expect(shown).toEqual(expect.arrayContaining(['a (4)', 'b (2)', 'c (0)', 'a', 'b', 'c']));
  });
});

describe('labelDistributionChart', () => {
  it('shows counts and shares of each group', () => {
    const shown = texts(
      labelDistributionChart({
        title: 'T',
        classNames: ['a', 'b'],
        groups: [
          { name: 'train', counts: [30, 10] },
          { name: 'test', counts: [0, 0] },
        ],
      }),
    );
    expect(shown).toEqual(
      expect.arrayContaining(['train: 40', 'test: 0', '30 (75.0 %)', '10 (25.0 %)', '0 (0.0 %)', 'a', 'b']),
    );
  });
});

describe('timelineChart', () => {
  /** The strip of predicted classes as [class colour, width in pixels]. */
  function strip(
    points: { seconds: number; probabilities: number[] }[],
    durationSeconds?: number,
  ): [string, number][] {
    const { document } = parseHTML(
      timelineChart({ title: 'T', classNames: ['a', 'b'], points, durationSeconds }),
    );
    const rects = document.querySelectorAll('[aria-label="rect"] rect');
    return [...rects].map((rect) => [rect.getAttribute('fill') ?? '', Number(rect.getAttribute('width'))]);
  }

  it('changes the predicted class halfway between points, and joins what is the same', () => {
    const bars = strip([
      { seconds: 1, probabilities: [0.9, 0.1] },
      { seconds: 3, probabilities: [0.6, 0.4] },
      { seconds: 5, probabilities: [0.2, 0.8] },
    ]);
    // a from 0 to 4 s, b from 4 s to the end, which is at 6 s.
    expect(bars.map(([colour]) => colour)).toEqual(['#0072B2', '#E69F00']);
    expect((bars[0]?.[1] ?? 0) / (bars[1]?.[1] ?? 1)).toBeCloseTo(2, 6);
  });

  it('has a row for each class, as high as its probability', () => {
    const svg = timelineChart({
      title: 'T',
      classNames: ['a', 'b'],
      points: [{ seconds: 1, probabilities: [0.25, 0.75] }],
      windowSeconds: 2,
    });
    const { document } = parseHTML(svg);
    const heights = [...document.querySelectorAll('[aria-label="area"] path')].map((path) => {
      const ys = [...(path.getAttribute('d') ?? '').matchAll(/,([\d.]+)/g)].map(([, y]) => Number(y));
      return Math.max(...ys) - Math.min(...ys);
    });
    expect(heights).toHaveLength(2);
    expect(heights[1]! / heights[0]!).toBeCloseTo(3, 1);
    const labels = ['a', 'b', 'predicted', '100 %', '0 %', 'time (s), middles of windows of 2 s'];
    expect(texts(svg)).toEqual(expect.arrayContaining(labels));
  });

  it.each([
    [0.8, ['0', '0.1', '0.7', '0.8'], 'time (s)'],
    [53, ['0', '5', '50'], 'time (s)'],
    [150, ['0:00', '0:15', '2:30'], 'time (min:s)'],
    [4000, ['0:00', '10:00', '60:00'], 'time (min:s)'],
    [200_000, ['0:00', '300:00'], 'time (min:s)'],
  ])('has times that people count in, of a video of %d s', (durationSeconds, some, label) => {
    const points = [{ seconds: durationSeconds / 2, probabilities: [0.3, 0.7] }];
    const shown = texts(timelineChart({ title: 'T', classNames: ['a', 'b'], points, durationSeconds }));
    expect(shown).toEqual(expect.arrayContaining([...some, label]));
    expect(shown.filter((text) => /^[\d:.]+$/.test(text)).length).toBeLessThanOrEqual(13);
  });

  it('shows a video of a single window', () => {
    expect(strip([{ seconds: 0.5, probabilities: [0.3, 0.7] }], 4)).toEqual([
      ['#E69F00', expect.any(Number)],
    ]);
  });
});

describe('lineChart', () => {
  it('draws one line a curve, in whole steps', () => {
    const curves = [
      { name: 'loss', x: [1, 2, 3], y: [3, 2, 1] },
      { name: 'loss/motion', x: [1, 2, 3], y: [2, 1, 0.5] },
    ];
    const svg = lineChart({ title: 'T', xLabel: 'step', yLabel: 'loss', curves });
    expect(parseHTML(svg).document.querySelectorAll('[aria-label="line"] path')).toHaveLength(2);
    const ticks = texts(svg, '[aria-label="x-axis tick label"] text');
    expect(ticks).toEqual(['1', '2', '3']);
  });

  it('shows a curve of one point, and an empty one', () => {
    const curves = [
      { name: 'war', x: [7], y: [0.5] },
      { name: 'uar', x: [], y: [] },
    ];
    const svg = lineChart({ title: 'T', xLabel: 'step', yLabel: 'war', curves });
    expect(parseHTML(svg).document.querySelectorAll('[aria-label="dot"] circle')).toHaveLength(1);
    expect(svg).not.toContain('NaN');
  });
});

describe('svgToPng', () => {
  const document = (content: string): string =>
    `<svg xmlns="http://www.w3.org/2000/svg" width="120" height="40">${content}</svg>`;
  const widthOf = (png: Uint8Array): number => new DataView(png.buffer).getUint32(16);

  it('draws text with its own fonts, as wide as it is told', async () => {
    const png = await svgToPng(document('<text x="5" y="25">surprise</text>'));
    expect([...png.subarray(0, 8)]).toEqual([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
    expect(widthOf(png)).toBe(240);
    expect(png).not.toEqual(await svgToPng(document('')));
    expect(png).not.toEqual(
      await svgToPng(document('<text x="5" y="25" font-weight="bold">surprise</text>')),
    );
    expect(widthOf(await svgToPng(document(''), { width: 300 }))).toBe(300);
  });

  it('refuses what is not an SVG, and a width of 0', async () => {
    await expect(svgToPng('<svg')).rejects.toThrow();
    await expect(svgToPng(document(''), { width: 0 })).rejects.toThrow('width is 0');
  });
});

describe('barChart', () => {
  it('has fractions on its axis, the text of each bar, and no bar where there is no value', () => {
    const svg = barChart({
      title: 'Speed',
      valueLabel: 'clips/s',
      categories: ['small', 'large'],
      series: [
        { name: 'forward', values: [0.5, 0.2], texts: ['half', 'fifth'] },
        { name: 'step', values: [0.1, NaN], texts: ['tenth', 'none'] },
      ],
    });
    const said = texts(svg);
    for (const text of [
      'Speed',
      'clips/s',
      'small',
      'large',
      'forward',
      'step',
      'half',
      'fifth',
      'tenth',
      '0.1',
    ])
      expect(said.some((one) => one.startsWith(text))).toBe(true);
    expect(said).not.toContain('none');
  });
});
