import type { WaitingReason } from '@ringfence/protocol/statements';

/** What to do about an offer that a job's demand fails at. */
const FIXES: Readonly<Record<WaitingReason, string>> = {
  'agent-offline': 'start the agent there, or look at its way to the control plane',
  'agent-locked':
    '`ringfence offers --explain` says why: one whose admission ended needs new papers (`ringfence agent renew`), one that is avoided is tried again by itself, a locked one is removed and joined anew',
  'agent-draining':
    'drained: `ringfence agent drain SERVER --off` gives it work again; given back by its pool: wait, see `ringfence pool status`; or join another machine',
  'custodian-away': 'start the custodian, or look at its way to the control plane; what runs goes on',
  tier: 'allow its tier in privacy.place.tiers, or join a machine of a tier that it allows',
  residency:
    'join a machine of your own there with `ringfence agent join-code --jurisdiction`; a provider’s stands where `ringfence keyring ls` says',
  site: 'its data lies elsewhere and is not copied: see `ringfence dataset ls`',
  isolation: 'see what the level lacks there: `ringfence doctor --preflight` on that machine',
  tee: 'take a machine with that TEE, or leave privacy.tee out; where the label asks for one away from home: allow `private` in privacy.place.tiers',
  evidence:
    '`ringfence provider evidence ls` says what counts and for how long; what is missing comes with `ringfence provider evidence add FILE`',
  egress: 'the label denies a way out: leave privacy.egress out',
  'customer-key': 'allow a tier where no stranger can read the keys in memory, or ask for a TEE there',
  'hard-limits': 'give the agent cgroups there, or ask for memory without an end: 8GB+',
  cpu: 'ask for fewer cpus, or wait until others end',
  memory: 'ask for less memory, or wait until others end',
  disk: 'ask for less disk, or free some there',
  gpu: 'ask for another model, less memory or fewer cards in resources.gpu, or join a machine that has them: docs/operate/gpu.md',
  price:
    'raise resources.max_price or the budget; `ringfence offers` says prices: an unknown one (its provider starts the agent with --price), or one in another currency, is within no limit',
  spot: 'change resources.spot',
  held: 'wait: room there is kept for a job before it in the queue, or state a shorter max_duration',
  'gang-incomplete': 'order the rest of its gang, or stop these and launch all at once',
  'gang-room': 'wait until there is room for all of its gang at once, or ask for less',
};

/** What to do about `constraint`, in a few words. */
export function constraintFix(constraint: WaitingReason): string {
  return FIXES[constraint];
}
