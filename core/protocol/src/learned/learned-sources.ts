import type { z } from 'zod';
import { agentDrain, jobFence, jobStop, jobSubmission, organisationRegistration, planRequest } from '../api/index.ts';
import { MESSAGES } from '../messages/registry.ts';
import {
  deletionStatement,
  fenceStatement,
  jobStatement,
  labelStatement,
  placementPart,
  poolStatement,
} from '../statements/index.ts';

/** One thing that reaches the control plane: who sends it, its shape, and what each of its fields tells. */
export interface LearnedSource {
  readonly what: string;
  readonly from: string;
  readonly schema: z.ZodType;
  /** A sentence for each field that is not only a container; shapes told elsewhere on the page are left out by {@link PARTS}. */
  readonly tells: Readonly<Record<string, string>>;
}

/** Fields whose inside is told once, under another heading. */
export const PARTS: readonly { readonly path: RegExp; readonly see: string }[] = [
  { path: /^placement(?:\.|$)/, see: 'Placement part' },
  { path: /^job\.(?:payloadType|payload|signatures)/, see: 'Job statement' },
  { path: /^label\.(?:payloadType|payload|signatures)/, see: 'Label' },
  { path: /^statement\.(?:payloadType|payload|signatures)/, see: 'Deletion' },
];

const PARTY = 'which agent or custodian, by a random id';
const JOB = 'which job, by a random id that its client drew';
const ATTEMPT = 'which attempt, counted by the control plane itself';
const JOURNAL = 'how many records the party has written in its life: roughly how busy it was';
const HASH = 'nothing but sameness: a digest over records that hold random ids and signatures';

/** Every message and request that a control plane takes, in the order of a job’s way. */
export const LEARNED_SOURCES: readonly LearnedSource[] = [
  {
    what: 'Registration of an organisation',
    from: 'custodian, once, by HTTPS',
    schema: organisationRegistration,
    tells: {
      code: 'which registration code is spent',
      org: 'which organisation, by a random id; no name',
      custodian: 'which custodian, by a random id',
      sign: 'a public key, under which its notices are checked',
      enrolment: 'a public key, under which its labels are checked',
      proof: 'that the code’s secret is known',
    },
  },
  {
    what: 'Job statement',
    from: 'client, at launch, signed by a device key',
    schema: jobStatement,
    tells: {
      v: 'nothing: one value',
      org: 'whose job',
      project: 'which jobs belong together, by a random id',
      job: JOB,
      device: 'which member’s device ordered it, by a random id',
      type: 'whether it trains, serves or works through a batch',
      at: 'when it was ordered',
      expires: 'until when it may start',
      maxAttempts: 'how often it may be tried',
      replicas: 'nothing: one, since a replica is a job',
      constraintDigest: 'nothing but sameness with the placement part beside it',
      payloadDigest: 'nothing: the digested bytes begin with 256 random bits',
      labelDigest: 'nothing but sameness with the label beside it',
    },
  },
  {
    what: 'Label',
    from: 'client, at launch, signed by the custodian',
    schema: labelStatement,
    tells: {
      v: 'nothing: one value',
      org: 'whose job',
      job: JOB,
      custodian: 'which custodian signed',
      sensitivity: 'how strictly the data is to be kept: one of four words',
      residency: 'in which countries it may be worked on',
      acceptProviderPlaintext: 'that the data’s owners let a provider without a TEE see it',
      profile:
        'nothing but sameness: which jobs name the same version of a profile; the digested bytes hold 256 random bits',
      at: 'when the label was computed',
      notAfter: 'until when it counts',
    },
  },
  {
    what: 'Placement part',
    from: 'client, at launch',
    schema: placementPart,
    tells: {
      v: 'nothing: one value',
      type: 'as in the job statement',
      'resources.cpuMilli': 'how much processor it asks for',
      'resources.memoryBytes': 'how much memory it asks for: with the next ones a hint of the size of model and data',
      'resources.diskBytes': 'how much disk it asks for',
      'resources.gpus.model': 'which GPU it asks for; 16 characters that the job’s author chooses',
      'resources.gpus.memoryBytes': 'how much GPU memory it asks for',
      'resources.gpus.count': 'how many GPUs it asks for',
      'resources.hardLimits': 'whether the memory limit has to be enforced',
      tiers: 'whose machines may run it',
      residency: 'in which countries it may run',
      residencyDeny: 'whose law may not apply where it runs',
      customerKey: 'that its keys may not be where strangers could read them',
      sites: 'that its data lies in place, and at which site, by a random id',
      isolation: 'how strong the sandbox has to be',
      tees: 'which TEEs are good enough',
      'evidence.require': 'which attested standards the site needs: a hint of the kind of data',
      'evidence.grade': 'how good that evidence has to be',
      'evidence.maxAgeDays': 'how old it may be',
      egress: 'whether it has a list of names that it may reach; not which',
      burst: 'whether it may leave the private tier',
      onPartition: 'what it does without a control plane',
      spot: 'whether it takes capacity that can be taken away',
      'maxPrice.microUnits': 'what it may cost',
      'maxPrice.currency': 'in which currency; three letters that the job’s author chooses',
      'budget.microUnits': 'what all attempts together may cost',
      'budget.currency': 'in which currency: as with maxPrice',
      'budget.attempts': 'as in the job statement',
      deadline: 'when no attempt may start any more; a time that the job’s author chooses',
      'weights.cost': 'how much it cares for the price; a number that the job’s author chooses',
      'weights.speed': 'for speed: the same',
      'weights.reliability': 'for machines that lose nothing: the same',
      'weights.gravity': 'for being near its data: the same',
      priority: 'how urgent it is, 0 to 100',
      maxDurationMs: 'how long it may run, in milliseconds that the job’s author chooses',
      retryOn: 'after what it is tried again',
    },
  },
      preemptible: 'that it keeps checkpoints, and may be told to stop for a job of higher priority',
      'gang.id': 'which jobs start together, by a random id',
      'gang.size': 'how many they are',
  {
    what: 'Question where a job could run',
    from: 'client, `ringfence plan`',
    schema: planRequest,
    tells: {
      sensitivity: 'as in the label, not yet signed',
      acceptProviderPlaintext: 'as in the label, not yet signed',
    },
  },
  {
    what: 'Request to stop a job',
    from: 'client, `ringfence stop`',
    schema: jobStop,
    tells: { graceMs: 'how long it may take to end' },
  },
  {
    what: 'Request to drain an agent',
    from: 'client, `ringfence agent drain`',
    schema: agentDrain,
    tells: {
      drain: 'whether it is to get no new work',
      stopWithinMs: 'that what runs there is to stop, and how long it may take',
    },
  },
  {
    what: 'Fence',
    from: 'client, `ringfence fence`, signed by an officer’s device',
    schema: fenceStatement,
    tells: {
      v: 'nothing: one value',
      org: 'whose job',
      job: JOB,
      attempt: 'which attempt counts as over',
      device: 'which device signed: an officer’s, if the custodian takes it too',
      at: 'when it was signed, by that machine’s clock',
    },
  },
  {
    what: 'Pool statement',
    from: 'client, `ringfence pool set`, signed by a device key',
    schema: poolStatement,
    tells: {
      v: 'nothing: one value',
      org: 'whose terms',
      device: 'which device signed',
      seq: 'how often the terms were changed',
      'terms.highWaitMs': 'how long jobs wait before they leave home',
      'terms.highLooks': 'for how many looks at the queue',
      'terms.lowWaitMs': 'how short the wait is when they come back',
      'terms.lowLooks': 'for how many looks',
      'terms.cooldownMs': 'how long they stay at home after that',
      'terms.minLifetimeMs': 'how long machines away from home are used at the least',
      'terms.mostAtOnce': 'how many attempts may be away at once',
      'terms.overheadMs': 'what preparing and the end of a lease add to the longest run',
      'terms.budget.microUnits': 'what may be spent away from home',
      'terms.budget.currency': 'in which currency; three letters that the author chooses',
      'terms.budget.periodMs': 'in how long a time',
      homeHour: 'what an own machine costs an hour, as the organisation says; a number that its author chooses',
      at: 'when it was signed, by that machine’s clock',
    },
  },
  {
    what: 'hello',
    from: 'agent or custodian, at each connection',
    schema: MESSAGES.hello.schema,
    tells: {
      role: 'agent or custodian',
      party: PARTY,
      org: 'of which organisation',
      'versions.min': 'which release, roughly',
      'versions.max': 'which release, roughly',
      'journal.seq': JOURNAL,
      'journal.hash': HASH,
      'resume.seq': 'how far this control plane’s last acknowledgement reached',
      'resume.hash': HASH,
      received: 'how many durable messages arrived',
    },
  },
  {
    what: 'heartbeat',
    from: 'agent or custodian, each ten seconds',
    schema: MESSAGES.heartbeat.schema,
    tells: {
      'attempts[].job': JOB,
      'attempts[].attempt': ATTEMPT,
      'attempts[].memory': 'the power of two below the job’s memory use: a hostile job can say six bits with it',
      'attempts[].cpu': 'the power of two below the job’s processor time: the same',
    },
  },
  {
    what: 'ack',
    from: 'agent or custodian',
    schema: MESSAGES.ack.schema,
    tells: {
      mid: 'how many durable messages arrived',
      'journal.seq': JOURNAL,
      'journal.hash': HASH,
    },
  },
  {
    what: 'offer',
    from: 'agent, when it joins and when its machine changes',
    schema: MESSAGES.offer.schema,
    tells: {
      offer: 'which offer, by a random id',
      site: 'which agents stand at one site, by a random id; no name or address',
      epoch: 'how often the offer changed',
      tier: 'whose machine it is',
      jurisdictions: 'in which country it stands and whose law binds its operator',
      isolations: 'which sandboxes work there',
      tees: 'which TEEs it has',
      hardLimits: 'whether it can enforce a memory limit',
      cpuMilli: 'how many processors it lends',
      memoryBytes: 'how much memory it lends',
      diskBytes: 'how much disk it lends',
      'gpus[].model': 'which GPUs it lends; 16 characters that the machine’s driver chooses',
      'gpus[].memoryBytes': 'their memory',
      'gpus[].count': 'how many',
      'evidence[].standard': 'which standards are attested for the site',
      'evidence[].digest': 'nothing but sameness: the digest of a document',
      'evidence[].notAfter': 'until when it counts',
      region: 'where it stands, as its provider calls it; 32 characters that its operator chooses',
      'price.microUnits': 'what it costs',
      'price.currency': 'in which currency; three letters that its operator chooses',
      spot: 'that it may be taken away at any time',
      speedMilli: 'how fast it is, as its operator says',
      networkMbit: 'how fast data arrives there, as its operator says',
    },
  },
  {
    what: 'attempt-status',
    from: 'agent, at each step of an attempt',
    schema: MESSAGES['attempt-status'].schema,
    tells: {
      job: JOB,
      attempt: ATTEMPT,
      state: 'that it was taken, started, runs or ended, and by its time of arrival when',
      refusal: 'why the agent would not run it: one word of a list',
      outcome: 'how it ended: one word of a list; no exit code, no message',
    },
  },
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
      agent: PARTY,
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
  {
    what: 'member',
    from: 'custodian, when somebody joins or is removed',
    schema: MESSAGES.member.schema,
    tells: {
      '(1) op': 'that a member was added',
      '(1) id': 'which device or agent, by a random id; no name of a person or machine',
      '(1) sign': 'its public key',
      '(1) keyringSeq': 'how many statements the keyring has',
      '(1) tier': 'of an agent: its tier, as its offers say too',
      '(1) site': 'of an agent: which site, by a random id, as its offers say too',
      '(2) op': 'that a member was removed',
      '(2) id': 'which',
      '(2) keyringSeq': 'how many statements the keyring has',
    },
  },
  {
    what: 'evidence',
    from: 'custodian, when a document about sites is kept, or counts no more',
    schema: MESSAGES.evidence.schema,
    tells: {
      '(1) op': 'that a document counts',
      '(1) evidence': 'which, by digest; not the document, its issuer or provider',
      '(1) standard': 'what it is about: one word of a list',
      '(1) grade': 'how well it is shown: one word of a list',
      '(1) sites': 'of which sites, by random ids',
      '(1) from': 'from when',
      '(1) until': 'until when',
      '(2) op': 'that a document counts no more',
      '(2) evidence': 'which, by digest',
    },
  },
  {
    what: 'committed',
    from: 'custodian',
    schema: MESSAGES.committed.schema,
    tells: { job: 'which job has a result; not what it is or how large', attempt: ATTEMPT },
  },
  {
    what: 'wanted',
    from: 'custodian, when a replica is to run or not',
    schema: MESSAGES.wanted.schema,
    tells: {
      job: 'which replica, by the random id of its job; not of which endpoint',
      wanted: 'that there is load for it or not: the rhythm of an endpoint’s use, in steps of one replica',
      graceMs: 'how long requests in flight may take',
      final: 'that it is over for good',
    },
  },
  {
    what: 'lock',
    from: 'custodian',
    schema: MESSAGES.lock.schema,
    tells: { agent: 'which agent is not trusted any more', reason: 'why: one word of a list' },
  },
];

/** Bodies of requests that only carry what has a heading of its own. */
export const LEARNED_BODIES: ReadonlySet<z.ZodType> = new Set<z.ZodType>([
  jobSubmission,
  jobFence,
  ...LEARNED_SOURCES.map(({ schema }) => schema),
]);
