import { epsilonOf } from '@ringfence/dp/accountant';
import { CliError } from '../cli-error.ts';
import { text, type Command, type Flags } from '../command.ts';

export const command: Command = {
  usage: '--sigma SIGMA --delta DELTA [--q RATE] [--steps N]',
  summary:
    'the epsilon of training with Gaussian noise on Poisson samples, by two accountants, and what it is at least',
  options: {
    q: { type: 'string' },
    sigma: { type: 'string' },
    steps: { type: 'string' },
    delta: { type: 'string' },
  },
  words: [0, 0],
  // No network, no profile.
  run({ terminal }, _words, flags) {
    const q = numberOf(flags, 'q', '1');
    const sigma = numberOf(flags, 'sigma');
    const steps = numberOf(flags, 'steps', '1');
    const delta = numberOf(flags, 'delta');
    if (!(q > 0 && q <= 1)) throw wrong('--q is the rate of the sample: above 0 and at most 1');
    if (!(sigma > 0)) throw wrong('--sigma is above 0: the noise’s standard deviation, in clipping norms');
    if (!Number.isSafeInteger(steps) || steps < 1) throw wrong('--steps is a whole number from 1');
    if (!(delta > 0 && delta < 1)) throw wrong('--delta is above 0 and below 1');
    const { rdp, pldUpper, pldLower } = epsilonOf([{ type: 'sampled-gaussian', q, sigma, steps }], delta);
    // What is not bounded is null in JSON.
    terminal.value({ rdp, pldUpper, pldLower });
    terminal.line(`epsilon at delta ${delta}, one record more or less`);
    for (const [name, value, what] of [
      ['rdp', rdp, 'upper bound, by Rényi divergences'],
      ['pldUpper', pldUpper, 'upper bound, by the privacy loss distribution'],
      ['pldLower', pldLower, 'lower bound, by the same'],
    ] as const)
      terminal.line(`  ${name.padEnd(8)}  ${shown(value).padStart(10)}  ${what}`);
    return Promise.resolve();
  },
};

/** A flag's number, or fraction of two. */
function numberOf(flags: Flags, name: string, without?: string): number {
  const given = text(flags, name) ?? without;
  if (given === undefined) throw wrong(`--${name} is missing`);
  const [over = NaN, under = 1, ...more] = given.split('/').map((part) => (part.trim() === '' ? NaN : Number(part)));
  const value = over / under;
  if (more.length > 0 || !Number.isFinite(value)) throw wrong(`--${name} is a number, or a fraction such as 256/60000`);
  return value;
}

function shown(value: number | undefined): string {
  return value === undefined || !Number.isFinite(value) ? 'none' : value.toFixed(6);
}

function wrong(message: string): CliError {
  return new CliError('usage', message, {
    next: 'ringfence dp epsilon --q 0.01 --sigma 1.1 --steps 1000 --delta 1e-5',
  });
}
