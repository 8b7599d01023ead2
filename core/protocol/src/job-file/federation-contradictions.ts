import type { JobValues } from './job-fields.ts';
import type { Finding } from './problem-list.ts';
import type { TreePath } from './tree.ts';

/** What the aggregator has none of: it runs no code and sees no data, and what it sums goes to the clients. */
const NOT_OF_AGGREGATOR = ['run', 'setup', 'image', 'python', 'mounts', 'outputs'] as const;
/** What no contract names: a client whose job had them would train otherwise than the others agreed to. */
const NOT_OF_FEDERATION = ['env', 'secrets'] as const;

/** What a job says of a federation without being one, and the reverse. */
export function federationContradictions(values: JobValues, has: (key: string) => boolean): Finding[] {
  const { type, federation } = values;
  const federates = type === 'federate';
  // A type that is there and wrong says nothing about what was meant.
  if (!federates) {
    if (!has('federation') || (type === undefined && has('type'))) return [];
    return [conflict(['federation'], 'only a job of type federate takes part in a federation')];
  }
  if (!has('federation'))
    return [{ path: ['federation'], code: 'missing', message: 'type federate needs federation: {contract: NAME}' }];
  return [
    ...NOT_OF_FEDERATION.filter(has).map((key) => conflict([key], 'no contract names this; leave it out')),
    ...(values.retry?.checkpoint === undefined
      ? []
      : [conflict(['retry', 'checkpoint'], 'each round begins with the model of the contract; leave it out')]),
    ...((values.privacy?.egress ?? []).length === 0
      ? []
      : [conflict(['privacy', 'egress'], 'what leaves a client is its masked update alone; leave it out')]),
    ...(federation?.role === 'aggregator' ? aggregator(has) : client(values, has)),
  ];
}

function aggregator(has: (key: string) => boolean): Finding[] {
  const message = 'an aggregator runs no code and keeps nothing; leave it out';
  return NOT_OF_AGGREGATOR.filter(has).map((key) => conflict([key], message));
}

function client({ mounts, outputs = [] }: JobValues, has: (key: string) => boolean): Finding[] {
  return [
    ...(has('mounts')
      ? []
      : [{ path: ['mounts'], code: 'missing', message: 'a client mounts its dataset of the contract' } as const]),
    ...(mounts !== undefined && mounts.length !== 1
      ? [conflict(['mounts'], 'a client mounts exactly one dataset: its own of the contract')]
      : []),
    ...(outputs.length > 1 ? [conflict(['outputs'], 'a client keeps one output at most: the model')] : []),
  ];
}

function conflict(path: TreePath, message: string): Finding {
  return { path, code: 'contradiction', message };
}
