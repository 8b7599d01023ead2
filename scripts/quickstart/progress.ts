/** Lines for the person at the terminal: steps with the time each took. */
export interface Progress {
  title(text: string): void;
  step(text: string): void;
  note(text: string): void;
  /** Lines of a job, indented. */
  quote(text: string): void;
  text(text: string): void;
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
