/** Lines for the person at the terminal: steps with the time each took. */
export interface Progress {
  readonly title: (text: string) => void;
  readonly step: (text: string) => void;
  readonly note: (text: string) => void;
  /** Lines of a job, indented. */
  readonly quote: (text: string) => void;
  readonly text: (text: string) => void;
}

/** Progress written through `write`; a step's time is that since the step before. */
export function createProgress(write: (text: string) => void): Progress {
  const begun = performance.now();
  let last = begun;
  return {
    title: (text) => write(`${text}\n\n`),
    step(text) {
      const now = performance.now();
      write(`${seconds(now - begun)}  ✓ ${text} (${seconds(now - last).trim()})\n`);
      last = now;
    },
    note: (text) => write(`        ! ${text}\n`),
    quote: (text) => write(text.replaceAll(/^(?=.)/gm, '        │ ')),
    text: (text) => write(text),
  };
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`.padStart(7);
}
