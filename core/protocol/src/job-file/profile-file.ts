import type { ProfileRequirements } from '../statements/rules.ts';
import { maxDuration } from './duration.ts';
import { NAME_WORDS, parseProfileName, type ProfileName } from './names.ts';
import { parseHourlyPrice } from './price.ts';
import { PRIVACY_FIELDS, privacyWishes } from './privacy-fields.ts';
import { ProblemList } from './problem-list.ts';
import { JobFileError } from './problem.ts';
import { oneOf, record, text, type ReadBy } from './read.ts';
import { budgetValue } from './term-fields.ts';
import { readTree } from './yaml-tree.ts';

/** A profile as its file has it. */
export interface ProfileFile {
  readonly name: ProfileName;
  readonly requirements: ProfileRequirements;
}

const { tee: _, ...demands } = PRIVACY_FIELDS;

const profileFields = record(
  {
    name: text(parseProfileName, NAME_WORDS),
    // A profile can only tighten: of each pair of words it has the stricter.
    privacy: record({ ...demands, burst: oneOf(['never']), logs: oneOf(['local']), customer_key: oneOf(['true']) }),
    resources: record({
      max_price: text(parseHourlyPrice, 'an hourly price of the whole job such as 12.5 USD'),
      spot: oneOf(['never']),
    }),
    budget: budgetValue,
    max_duration: maxDuration,
  },
  ['name'],
);

/** Reads a profile in the spelling of a job file. Throws `JobFileError` with every problem at once. */
export function parseProfileFile(source: string): ProfileFile {
  const problems = new ProblemList();
  const tree = readTree(source, problems);
  const values = tree === undefined ? undefined : profileFields(tree, { path: [], problems });
  if (values?.name === undefined || !problems.isEmpty) throw new JobFileError(problems.against(tree), 'profile');
  return { name: values.name, requirements: requirementsOf(values) };
}

function requirementsOf(values: ReadBy<typeof profileFields>): ProfileRequirements {
  const { privacy = {}, resources = {}, budget, max_duration: maxDurationMs } = values;
  const { customer_key: customerKey, ...read } = privacy;
  const wishes = privacyWishes(read);
  const evidence = withoutGaps({
    require: copied(wishes.require),
    grade: wishes.evidenceGrade,
    maxAgeDays: wishes.evidenceMaxAgeDays,
  });
  return withoutGaps({
    sensitivity: wishes.sensitivity,
    tiers: copied(wishes.tiers),
    residency: copied(wishes.residency),
    residencyDeny: copied(wishes.residencyDeny),
    isolation: wishes.isolation,
    evidence: Object.keys(evidence).length === 0 ? undefined : evidence,
    burst: privacy.burst,
    customerKey: customerKey === undefined ? undefined : (true as const),
    egress: copied(wishes.egress),
    logs: privacy.logs,
    spot: resources.spot,
    maxPrice: resources.max_price,
    budget,
    maxDurationMs,
  });
}

function copied<T>(list: readonly T[] | undefined): T[] | undefined {
  return list === undefined ? undefined : [...list];
}

type WithoutGaps<T> = { [Key in keyof T]?: Exclude<T[Key], undefined> };

function withoutGaps<T extends object>(value: T): WithoutGaps<T> {
  return Object.fromEntries(Object.entries(value).filter(([, part]) => part !== undefined)) as WithoutGaps<T>;
}
