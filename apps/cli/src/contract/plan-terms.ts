import { calibrateNoise } from '@ringfence/dp/accountant';
import {
  debitedView,
  noiseAgainst,
  parametersOf,
  planEncoding,
  type UpdateEncoding,
} from '@ringfence/fl/contract-encoding';
import { decimalOf, numberOf, type ContractPlan, type Decimal } from '@ringfence/protocol/federation';
import type { Contract, ContractCode } from '@ringfence/protocol/statements';
import { CliError } from '../cli-error.ts';

type Privacy = Contract['privacy'];
type PlannedPrivacy = ContractPlan['privacy'];

/** Multiples of the expected sample that a ring leaves room for. */
const ROOM = 4;
const decimal = (text: string): Decimal => decimalOf(Number(text));

/** What a plan says of privacy, and the encoding that follows from it: noise calibrated to its epsilon, the narrowest ring that holds it. Throws CliError `usage`. */
export function planPrivacy(
  plan: ContractPlan,
  code: ContractCode,
  clients: Contract['clients'],
): { readonly privacy: Privacy; readonly encoding: Contract['encoding'] } {
  const { privacy: wished } = plan;
  const terms = {
    unit: unitOf(wished),
    grade: wished.declared === true ? ('declared' as const) : ('enforced' as const),
    clip: needed(wished.clip, 'clip'),
  };
  const encode = encoderOf(plan, { code, clients: clients.length, clip: numberOf(terms.clip) });
  const noise = noiseOf(plan, clients, encode);
  const encoding = encode(noise === null ? null : { ...noise, multiplier: numberOf(noise.multiplier) });
  const { epsilon, delta } = wished;
  return {
    privacy: { ...terms, noise, budget: noise === null ? null : budgetOf(epsilon, delta) },
    encoding: { ringWidth: encoding.width, scale: decimalOf(encoding.scale) },
  };
}

type Encode = (noise: { readonly multiplier: number; readonly honestMin: number } | null) => UpdateEncoding;

function encoderOf(
  { privacy: { unit, most_units }, training, bits }: ContractPlan,
  { code, clients, clip }: { code: ContractCode; clients: number; clip: number },
): Encode {
  return (noise) =>
    planEncoding({
      dimension: parametersOf({ code }),
      clients,
      clipOf: unit === 'organisation' ? 'update' : 'unit',
      clip,
      noise,
      unitsInUpdate: most_units ?? ROOM * (training?.batch ?? DEFAULT_BATCH),
      ...(bits === undefined ? {} : { width: bits }),
    });
}

/** Rows that a client takes at once unless the plan says otherwise. */
export const DEFAULT_BATCH = 64;

function noiseOf(
  { privacy: wished, rounds: { count = 1 } }: ContractPlan,
  clients: Contract['clients'],
  encode: Encode,
): Privacy['noise'] {
  const { unit, epsilon, delta, multiplier, honest_min: honestMin = clients.length, sample_rate } = wished;
  if (multiplier === undefined && epsilon === undefined) return null;
  const sampleRate = sample_rate ?? decimal('1');
  if (unit === 'organisation' && sampleRate !== '1')
    throw new CliError('usage', 'of whole organisations no sample is taken', { next: 'leave sample_rate out' });
  if (multiplier !== undefined) return { multiplier, honestMin, sampleRate };
  const target = { epsilon: numberOf(needed(epsilon, 'epsilon')), delta: numberOf(needed(delta, 'delta')) };
  const view = debitedView(clients, honestMin);
  const least = calibrateNoise((noise) => {
    const against = noiseAgainst(encode({ multiplier: noise, honestMin }), { rounds: count });
    const event = against[view];
    return event === undefined ? [] : [event];
  }, target);
  return { multiplier: decimalOf(Number((least * 1.0005).toPrecision(4))), honestMin, sampleRate };
}

function unitOf({ unit, column, most_rows }: PlannedPrivacy): Privacy['unit'] {
  if (unit !== 'person') return { kind: unit ?? 'record' };
  if (column === undefined || most_rows === undefined)
    throw new CliError('usage', 'the unit person takes the column that tells whose a row is, and most_rows', {
      next: 'privacy: {unit: person, column: patient, most_rows: 20, …}',
    });
  return { kind: 'person', column, mostRows: most_rows };
}

function budgetOf(epsilon: Decimal | undefined, delta: Decimal | undefined): NonNullable<Privacy['budget']> {
  return { epsilon: needed(epsilon, 'epsilon'), delta: needed(delta, 'delta') };
}

function needed(value: Decimal | undefined, key: string): Decimal {
  if (value !== undefined) return value;
  throw new CliError('usage', `the plan’s privacy needs ${key}`, { next: 'see docs/federation.md' });
}
