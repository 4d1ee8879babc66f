const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Standard deviation of a sample; 0 for a single value. */
function deviation(values) {
  if (values.length < 2) return 0;
  const middle = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (values.length - 1));
}

const METRICS = ['uar', 'war'];

/**
 * Means and deviations over seeds, and of the gap within each seed.
 *
 * @param {{ seed: number, pretrained: { uar: number, war: number }, scratch: { uar: number, war: number } }[]} rows
 */
export function summarise(rows) {
  const over = (valueOf) => {
    const values = rows.map(valueOf);
    return { mean: mean(values), deviation: deviation(values) };
  };
  return Object.fromEntries(
    METRICS.map((metric) => [
      metric,
      {
        pretrained: over((row) => row.pretrained[metric]),
        scratch: over((row) => row.scratch[metric]),
        gap: over((row) => row.pretrained[metric] - row.scratch[metric]),
      },
    ]),
  );
}

const percent = (share) => (100 * share).toFixed(2);
const spread = ({ mean, deviation }) => `${percent(mean)} ± ${percent(deviation)}`;

/** The study as a table in Markdown, in per cent. */
export function studyTable(rows, summary) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [
    line([
      'seed',
      'UAR pre-trained',
      'UAR from scratch',
      'gap',
      'WAR pre-trained',
      'WAR from scratch',
      'gap',
    ]),
    line(['---', '---:', '---:', '---:', '---:', '---:', '---:']),
    ...rows.map(({ seed, pretrained, scratch }) =>
      line([
        seed,
        ...METRICS.flatMap((metric) => [
          percent(pretrained[metric]),
          percent(scratch[metric]),
          percent(pretrained[metric] - scratch[metric]),
        ]),
      ]),
    ),
    line([
      'mean ± deviation',
      ...METRICS.flatMap((metric) => {
        const { pretrained, scratch, gap } = summary[metric];
        return [spread(pretrained), spread(scratch), spread(gap)];
      }),
    ]),
  ].join('\n');
}
