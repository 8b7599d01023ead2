import { MESSAGES } from '../messages/registry.ts';
import type { LearnedSource } from './learned-source.ts';

/** What custodians say of who may do what, and of who is cut off. */
export const ACCESS_SOURCES: readonly LearnedSource[] = [
  {
    what: 'device-roles',
    from: 'custodian, when a device’s roles change',
    schema: MESSAGES['device-roles'].schema,
    tells: {
      device: 'which device, by a random id',
      keyringSeq: 'how many statements the keyring has',
      'roles[].role': 'what it may do: one word of a list',
      'roles[].project': 'in which project alone, by a random id',
    },
  },
  {
    what: 'lock',
    from: 'custodian',
    schema: MESSAGES.lock.schema,
    tells: { agent: 'which agent is not trusted any more', reason: 'why: one word of a list' },
  },
  {
    what: 'lock-word',
    from: 'custodian, when a lock on an agent, a device or a site is set, confirmed or over',
    schema: MESSAGES['lock-word'].schema,
    tells: {
      target: 'who is cut off, by a random id',
      locked: 'that it is, or is no more',
      until: 'until when, where that is known',
    },
  },
];
