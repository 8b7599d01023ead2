import { MESSAGES } from '../messages/registry.ts';
import { deletionStatement } from '../statements/index.ts';
import type { LearnedSource } from './learned-source.ts';

const JOB = 'which job, by a random id that its client drew';
const ATTEMPT = 'which attempt, counted by the control plane itself';

/** What is said of what was deleted away from home. */
export const DELETION_SOURCES: readonly LearnedSource[] = [
  {
    what: 'deleted',
    from: 'agent away from home, when it was asked to delete what it holds of attempts that are over',
    schema: MESSAGES.deleted.schema,
    tells: { request: 'which order to delete is answered, by a random id of the control plane’s own' },
  },
  {
    what: 'Deletion',
    from: 'agent away from home, signed, inside `deleted`',
    schema: deletionStatement,
    tells: {
      v: 'nothing: one value',
      org: 'whose jobs they were',
      agent: 'which agent or custodian, by a random id',
      request: 'which order to delete is answered',
      'attempts[].job': JOB,
      'attempts[].attempt': ATTEMPT,
      at: 'when it was signed, by that machine’s clock',
    },
  },
  {
    what: 'keys-shredded',
    from: 'custodian, when it has destroyed the data keys of attempts that ran away from home',
    schema: MESSAGES['keys-shredded'].schema,
    tells: {
      request: 'which order is answered, by a random id of the control plane’s own',
      'attempts[].job': JOB,
      'attempts[].attempt': ATTEMPT,
    },
  },
];
