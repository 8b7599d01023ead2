import { ProblemList } from '../job-file/problem-list.ts';
import { durationWithin } from '../job-file/duration.ts';
import { JobFileError } from '../job-file/problem.ts';
import { listOf, oneOf, record, text, trueOrFalse, wholeNumber, type Read, type ReadBy } from '../job-file/read.ts';
import { readTree } from '../job-file/yaml-tree.ts';
import { imageText, pythonVersion } from '../payload/image-source.ts';
import { packPath } from '../payload/pack.ts';
import { payloadName } from '../payload/workload.ts';
import { purposeWord } from '../statements/release.ts';
import type { z } from 'zod';
import { decimalOf, type Decimal } from './decimal.ts';
import { columnName, plainText } from './training-spec.ts';

const DAY = 86_400_000;

const number = text(parseDecimal, 'a number such as 0.5 or 1e-5');
const word = (schema: z.ZodType<string>, expected: string): Read<string> =>
  text((value) => (schema.safeParse(value).success ? value : undefined), expected);
const name = word(payloadName, 'a name of letters, digits, dots, underscores and hyphens');
const column = word(columnName, 'the name of a column');
const size = wholeNumber(1, 1_000_000);

const model = record(
  {
    kind: oneOf(['softmax', 'mlp', 'cnn']),
    hidden: listOf(indexed(wholeNumber(1, 65_536)), 1, 16),
    activation: oneOf(['tanh', 'relu']),
    height: wholeNumber(8, 1_024),
    width: wholeNumber(8, 1_024),
    channels: wholeNumber(1, 64),
    filters: listOf(indexed(wholeNumber(1, 1_024)), 2, 2),
  },
  ['kind'],
);
const feature = record({ column, subtract: number, divide: number }, ['column']);
const data = record(
  {
    file: word(packPath, 'a path within the dataset'),
    label: column,
    classes: listOf(word(plainText(128), 'what stands in the label column'), 2, 1_024),
    features: listOf(feature, 1, 4_096),
  },
  ['file', 'label', 'classes'],
);
const own = record(
  {
    parameters: wholeNumber(1, 100_000_000),
    code: text(notEmpty, 'a folder'),
    run: text(notEmpty, 'a command'),
    setup: text(notEmpty, 'a command'),
    image: word(imageText, 'an image with its digest'),
    python: word(pythonVersion, 'a version such as "3.12"'),
  },
  ['parameters', 'code', 'run'],
);
const training = record({ epochs: wholeNumber(1, 10_000), batch: size, rate: number });
const strategy = record(
  {
    kind: oneOf(['fedavg', 'fedprox', 'fedadam', 'fedyogi', 'fedadagrad']),
    rate: number,
    momentum: number,
    mu: number,
    beta1: number,
    beta2: number,
    tau: number,
  },
  ['kind'],
);
const evaluation = record(
  {
    every: wholeNumber(1, 100_000),
    held_out: number,
    stop: record({ metric: oneOf(['loss', 'accuracy']), patience: wholeNumber(1, 100_000), min_delta: number }, [
      'metric',
      'patience',
    ]),
  },
  ['every'],
);
const privacy = record(
  {
    unit: oneOf(['record', 'person', 'organisation']),
    column,
    most_rows: size,
    clip: number,
    epsilon: number,
    delta: number,
    multiplier: number,
    honest_min: wholeNumber(1, 100_000),
    sample_rate: number,
    most_units: wholeNumber(1, 100_000_000),
    declared: trueOrFalse,
  },
  ['unit', 'clip'],
);

const readPlan = record(
  {
    name,
    purpose: word(purposeWord, 'a word of a-z, 0-9 and hyphens'),
    model,
    data,
    own,
    training,
    strategy,
    rounds: record({ count: wholeNumber(1, 100_000), longest: durationWithin(1_000, DAY, '1s to 24h') }, ['count']),
    evaluation,
    update_norm: number,
    min_organisations: wholeNumber(3, 256),
    secure_aggregation: record({ corrupt: number, dropout: number }),
    privacy,
    output: name,
    recipients: listOf(word(plainText(64), 'the name of a party'), 1, 64),
    withdrawal: oneOf(['stop', 'go-on']),
    valid: durationWithin(60_000, 3_660 * DAY, '1m to 3660d'),
    bits: wholeNumber(8, 32),
  },
  ['name', 'purpose', 'rounds', 'privacy'],
);

/** What somebody wishes of a contract; the offers say the rest, and what is absent has a default. Durations in milliseconds. */
export type ContractPlan = Required<Pick<ReadBy<typeof readPlan>, 'name' | 'purpose' | 'rounds' | 'privacy'>> &
  ReadBy<typeof readPlan>;

/** Reads the text of a plan file (docs/federation.md). Throws JobFileError with every problem at once. */
export function parsePlanFile(source: string): ContractPlan {
  const problems = new ProblemList();
  const tree = readTree(source, problems);
  const plan = tree === undefined ? undefined : readPlan(tree, { path: [], problems });
  if (plan !== undefined && problems.isEmpty && (plan.own === undefined) === (plan.model === undefined))
    problems.note({ path: [], code: 'contradiction', message: 'a plan has either a model or own code' });
  if (plan?.model !== undefined && plan.data === undefined)
    problems.note({ path: ['data'], code: 'missing', message: 'a model is trained on columns: say which' });
  if (plan === undefined || !problems.isEmpty) throw new JobFileError(problems.against(tree), 'plan file');
  return plan as ContractPlan;
}

function parseDecimal(source: string): Decimal | undefined {
  if (!/^-?\d{1,12}(?:\.\d{1,20})?(?:e-?\d{1,2})?$/i.test(source)) return undefined;
  try {
    return decimalOf(Number(source));
  } catch {
    return undefined;
  }
}

function notEmpty(source: string): string | undefined {
  return source === '' ? undefined : source;
}

/** Equal numbers may stand in a list: each entry is one of its own. */
function indexed(read: Read<number>): Read<{ readonly value: number }> {
  return (tree, place) => {
    const value = read(tree, place);
    return value === undefined ? undefined : { value };
  };
}
