/** Two letters for each emotion, as tables of the data sets' papers have them. */
const SHORT_NAMES: readonly (readonly [RegExp, string])[] = [
  [/^hap/i, 'HA'],
  [/^sad/i, 'SA'],
  [/^neu/i, 'NE'],
  [/^ang/i, 'AN'],
  [/^surp/i, 'SU'],
  [/^dis(gust)?$/i, 'DI'],
  [/^fea/i, 'FE'],
  [/^calm$/i, 'CA'],
  [/^contempt$/i, 'CO'],
  [/^anxiety$/i, 'AX'],
  [/^helplessness$/i, 'HL'],
  [/^disappointment$/i, 'DS'],
];

/** Short names of classes where all have one, else the names as they are. */
export function shortClassNames(names: readonly string[]): readonly string[] {
  const short = names.flatMap((name) => SHORT_NAMES.find(([pattern]) => pattern.test(name))?.[1] ?? []);
  return new Set(short).size === names.length ? short : names;
}
