import type { Terminal } from '../shared/output.js';

/** A terminal that keeps what it is told, but for lines of progress: how many come depends on the machine. */
export interface CollectingTerminal extends Terminal {
  readonly written: string[];
  readonly notes: string[];
}

export function collectingTerminal(): CollectingTerminal {
  const [written, notes]: [string[], string[]] = [[], []];
  return {
    written,
    notes,
    write: (text) => void written.push(text),
    note: (line) => {
      if (!line.includes(' clips scored ')) notes.push(line);
    },
  };
}
