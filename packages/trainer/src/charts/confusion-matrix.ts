import * as Plot from '@observablehq/plot';
import { FONT_SIZE_PX, plotPanel, svgDocument, widestPx } from './svg.js';

export interface ConfusionMatrixOptions {
  readonly title: string;
  /** [K][K] counts: row = true class, column = predicted class. */
  readonly confusion: readonly (readonly number[])[];
  readonly classNames: readonly string[];
}

/** Least sizes; few classes have larger cells, so that the axes' labels have room beside them. */
const CELL_WIDTH_PX = 72;
const CELL_HEIGHT_PX = 48;
const LEAST_WIDTH_PX = 350;
const LEAST_HEIGHT_PX = 140;
/** From this share of a row on, a cell is dark enough to be written on in white. */
const DARK_FROM = 0.6;
const TILT_DEGREES = -35;

/**
 * A confusion matrix: rows are true classes, columns predicted ones, each cell the share of its row in per cent with
 * the count below. Rows of classes that do not occur are empty. A stand-alone SVG document.
 */
export function confusionMatrixChart({ title, confusion, classNames }: ConfusionMatrixOptions): string {
  const supports = confusion.map((row) => row.reduce((sum, count) => sum + count, 0));
  const rowNames = classNames.map((name, k) => `${name} (${supports[k] ?? 0})`);
  const cells = confusion.flatMap((row, label) =>
    row.map((count, predicted) => {
      const support = supports[label] ?? 0;
      return { label, predicted, count, share: support > 0 ? count / support : null };
    }),
  );
  const filled = cells.filter((cell): cell is typeof cell & { share: number } => cell.share !== null);
  const cellWidth = Math.max(CELL_WIDTH_PX, Math.ceil(LEAST_WIDTH_PX / classNames.length));
  const cellHeight = Math.max(CELL_HEIGHT_PX, Math.ceil(LEAST_HEIGHT_PX / classNames.length));
  const nameWidth = widestPx(classNames);
  const tilted = nameWidth > cellWidth - 6;
  const slope = Math.sin((-TILT_DEGREES * Math.PI) / 180);
  const marginLeft = Math.max(widestPx(rowNames), tilted ? nameWidth - cellWidth / 2 : 0) + 48;
  const marginBottom = (tilted ? Math.ceil(nameWidth * slope) + 22 : 26) + 30;
  const classes = classNames.map((_, k) => k);
  const cell = { x: 'predicted', y: 'label' } as const;
  const white = ({ share }: { share: number }): string => (share >= DARK_FROM ? '#ffffff' : '#222222');
  const [width, height] = [
    marginLeft + classes.length * cellWidth + 28,
    classes.length * cellHeight + marginBottom + 8,
  ];
  const plot = plotPanel({
    width,
    height,
    marginLeft,
    marginRight: 28,
    marginTop: 8,
    marginBottom,
    x: {
      domain: classes,
      padding: 0.03,
      label: 'predicted class (per cent of the row, videos below)',
      labelAnchor: 'center',
      labelArrow: 'none',
      labelOffset: marginBottom - 6,
      tickSize: 0,
      tickFormat: (k: number) => classNames[k] ?? '',
      ...(tilted ? { tickRotate: TILT_DEGREES } : {}),
    },
    y: {
      domain: classes,
      padding: 0.03,
      label: 'true class (videos)',
      labelAnchor: 'center',
      labelArrow: 'none',
      labelOffset: marginLeft - 8,
      tickSize: 0,
      tickFormat: (k: number) => rowNames[k] ?? '',
    },
    color: { type: 'linear', domain: [0, 1], range: ['#f3f7fb', '#08386f'], interpolate: 'rgb' },
    style: { fontSize: `${FONT_SIZE_PX}px` },
    marks: [
      Plot.cell(cells, { ...cell, fill: '#eeeeee' }),
      Plot.cell(filled, { ...cell, fill: 'share' }),
      Plot.text(filled, {
        ...cell,
        text: ({ share }: { share: number }) => (100 * share).toFixed(1),
        fill: white,
        fontSize: 13,
        dy: -6,
      }),
      Plot.text(filled, {
        ...cell,
        text: ({ count }: { count: number }) => String(count),
        fill: white,
        fontSize: 10,
        dy: 10,
      }),
    ],
  });
  return svgDocument(title, width, [plot]);
}
