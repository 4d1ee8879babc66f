/** Values of options: `true` stands for one without a value, and undefined ones are left out. */
export type OptionValues = Readonly<Record<string, string | number | true | undefined>>;

/** Options as words of a command line, in their order. */
export const optionWords = (values: OptionValues): string[] =>
  Object.entries(values).flatMap(([name, value]) => {
    if (value === undefined) return [];
    return value === true ? [`--${name}`] : [`--${name}`, String(value)];
  });
