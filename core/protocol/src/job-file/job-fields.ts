import { JOB_TYPES } from '../fields.ts';
import { MOUNT_EXAMPLE, mounts, outputs } from './data-paths.ts';
import { maxDuration } from './duration.ts';
import { environment, secrets } from './environment.ts';
import { federationFields } from './federation-fields.ts';
import { audiences } from './identity-fields.ts';
import { imageReference } from './image-reference.ts';
import { notifyFields, ON_PARTITION, retryFields } from './lifecycle-fields.ts';
import { NAME_WORDS, parseJobName, parseProfileName, parsePurpose, parsePythonVersion } from './names.ts';
import { privacyFields } from './privacy-fields.ts';
import { oneOf, record, refuse, text, wholeNumber, type Read, type ReadBy } from './read.ts';
import { resourceFields } from './resource-fields.ts';
import { workdirValue } from './sandbox-path.ts';
import { serviceFields } from './service-fields.ts';
import { budgetValue, deadlineValue, weightFields } from './term-fields.ts';

const readScript = text((value) => (value.trim() === '' ? undefined : value), 'a shell command or script');

/** A shell script of at most 65,536 characters. */
const script: Read<string> = (tree, place) => {
  const value = readScript(tree, place);
  if (value === undefined || !value.includes('\0')) return value;
  return refuse(place, { code: 'wrong-value', message: 'a script holds no NUL character' });
};

const readNodes = wholeNumber(1, 10_000);

const nodes: Read<1> = (tree, place) => {
  const count = readNodes(tree, place);
  if (count === undefined || count === 1) return count;
  return refuse(place, { code: 'not-yet', message: 'more than one node needs job networks, which do not exist yet' });
};

/** Reads a whole job file. */
export const jobFields = record(
  {
    name: text(parseJobName, NAME_WORDS),
    type: oneOf(JOB_TYPES),
    run: script,
    setup: script,
    image: imageReference,
    python: text(parsePythonVersion, 'a version of Python such as 3.12'),
    workdir: workdirValue,
    mounts,
    outputs,
    resources: resourceFields,
    nodes,
    env: environment,
    secrets,
    identity: audiences,
    retry: retryFields,
    on_partition: oneOf(ON_PARTITION),
    priority: wholeNumber(0, 100),
    max_duration: maxDuration,
    deadline: deadlineValue,
    budget: budgetValue,
    weights: weightFields,
    notify: notifyFields,
    service: serviceFields,
    federation: federationFields,
    privacy: privacyFields,
    purpose: text(parsePurpose, 'one word such as research, in small letters, digits and -'),
    profile: text(parseProfileName, NAME_WORDS),
  },
  ['name'],
  new Map(['data', 'dataset', 'datasets', 'inputs'].map((key) => [key, MOUNT_EXAMPLE])),
);

/** The fields of a job file that were there and right. */
export type JobValues = ReadBy<typeof jobFields>;
