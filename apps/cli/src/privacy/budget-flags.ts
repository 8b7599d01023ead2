import { decimalOf, type Decimal, type PrivacyUnit } from '@ringfence/protocol/federation';
import { CliError } from '../cli-error.ts';
import { text, type Flags } from '../command.ts';

/** `--epsilon` and `--delta`, both or neither. Throws CliError `usage`. */
export function boundOf(flags: Flags): { epsilon: Decimal; delta: Decimal } | undefined {
  const [epsilon, delta] = [text(flags, 'epsilon'), text(flags, 'delta')];
  if (epsilon === undefined && delta === undefined) return undefined;
  return { epsilon: positive('epsilon', epsilon), delta: positive('delta', delta, 1) };
}

/** `--unit`: whose presence is hidden. Throws CliError `usage`. */
export function unitOf(flags: Flags): PrivacyUnit {
  const unit = text(flags, 'unit');
  const [column, rows] = [text(flags, 'column'), text(flags, 'most-rows')];
  if (unit === 'person') {
    const mostRows = Number(rows);
    if (column === undefined || !Number.isInteger(mostRows) || mostRows < 1)
      throw new CliError('usage', 'the unit person needs --column NAME and --most-rows N');
    return { kind: 'person', column, mostRows } as PrivacyUnit;
  }
  if (column !== undefined || rows !== undefined)
    throw new CliError('usage', '--column and --most-rows belong to --unit person');
  if (unit === 'record' || unit === 'organisation') return { kind: unit };
  throw new CliError('usage', '--unit is record, person or organisation');
}

function positive(name: string, given: string | undefined, most = Infinity): Decimal {
  const value = Number(given);
  if (given !== undefined && given.trim() !== '' && value > 0 && value <= most)
    try {
      return decimalOf(value);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
    }
  throw new CliError('usage', `--${name} takes a number such as ${name === 'epsilon' ? '3' : '1e-5'}`);
}
