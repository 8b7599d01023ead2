import type { StopCause } from '@ringfence/protocol/api';
import type { Refusal } from '@ringfence/protocol/messages';
import type { GrantRefusal } from '@ringfence/protocol/payload';

/** What came between an attempt and its end, and what to do next. */
export interface Reason {
  readonly what: string;
  readonly next: string;
}

const AGAIN = 'launch it again';
const OPERATOR = 'launch it again; if it is refused again, show the control plane’s operator `ringfence receipt get`';
const ANEW = 'remove it with `ringfence agent remove`, and join the machine anew';
const CUSTODIAN = '`ringfence doctor` says whether the custodian is up; then launch it again';
const LABEL = 'launch it again: it gets a new label';
const reason = (what: string, next: string): Reason => ({ what, next });

/** Why its server did not start an attempt. */
export const REFUSAL_REASONS: Readonly<Record<Refusal, Reason>> = {
  'bad-job-signature': reason(
    'the order’s signature does not hold',
    'launch it again from a device of `ringfence device ls`',
  ),
  'unknown-device': reason('its server knows no such device', 'launch it again from a device of `ringfence device ls`'),
  'job-expired': reason('the order had ended before it could start', AGAIN),
  'bad-lease': reason('the control plane’s lease does not hold', OPERATOR),
  'not-this-agent': reason('the lease is another server’s', OPERATOR),
  'attempt-not-new': reason('its server has had this attempt, or a later one', AGAIN),
  'constraints-edited': reason('it was placed by other constraints than were signed', OPERATOR),
  'bad-receipt': reason(
    'what it was placed by does not hold there: tier, site, price or evidence',
    '`ringfence why` shows the receipt, `ringfence provider evidence ls` what counts; then launch it again',
  ),
  'bad-label': reason('its label has ended, or does not hold', LABEL),
  'stale-keyring': reason(
    'its server has no fresh head of the keyring',
    '`ringfence doctor` says whether the custodian signs one; its server has to reach the custodian, with a clock that is right',
  ),
  capacity: reason(
    'its server has less free than it said',
    'launch it again, or let `retry: {on: [no-capacity]}` do so',
  ),
  isolation: reason(
    'its server cannot keep the isolation that was signed',
    '`ringfence doctor --preflight` on that machine says what is missing',
  ),
  residency: reason(
    'its server does not stand where the data may be',
    'join a machine where it may be: `ringfence agent join-code --jurisdiction`',
  ),
  'custodian-unreachable': reason('its server did not reach the custodian in time', CUSTODIAN),
  'grant-refused': reason('the custodian refused it', '`ringfence status` says why while the custodian can be reached'),
  'bad-grant': reason('the custodian’s grant does not hold', CUSTODIAN),
  'payload-mismatch': reason('what was sealed is not what was signed', AGAIN),
  locked: reason(
    'its server may start nothing: it is locked, or its papers have ended',
    '`ringfence keyring ls` says until when its papers hold, `ringfence agent renew` takes new ones in; a locked one is removed and joined anew',
  ),
  'disk-full': reason('its server’s disk is full', 'free some there, or let `retry: {on: [no-capacity]}` try another'),
  'data-changed': reason(
    'data in place is not as it was registered',
    '`ringfence logs` names it; register it again with `ringfence dataset add NAME --at SITE:/PATH`',
  ),
};

/** Why the custodian granted nothing. */
export const GRANT_REASONS: Readonly<Record<GrantRefusal | 'profile' | 'policy', Reason>> = {
  'unknown-job': reason('it does not know the job', AGAIN),
  'bad-statements': reason('a statement does not hold', OPERATOR),
  'job-expired': reason('the order had ended before it could start', AGAIN),
  'device-removed': reason(
    'the device that ordered it may not',
    'launch it again from a device of `ringfence device ls`',
  ),
  'label-changed': reason('its data has a stricter label by now, or the label has ended', LABEL),
  placement: reason(
    'it may not run on that server',
    '`ringfence offers --explain` and `ringfence keyring ls` say what that server is',
  ),
  'attempt-not-new': reason('that attempt, or a later one, was granted before', AGAIN),
  'attempt-may-run': reason(
    'an earlier attempt may still run',
    'wait until its lease is over, or give that attempt up with `ringfence fence`',
  ),
  committed: reason('its results are committed', 'see `ringfence artifact ls`'),
  closed: reason('the job is over', AGAIN),
  locked: reason('its server is locked', ANEW),
  fork: reason('two machines said that they are its server; both are locked', ANEW),
  epoch: reason('it was granted before the custodian was restored', AGAIN),
  'dataset-gone': reason('data that it mounts is gone', 'see `ringfence dataset ls`, then launch it again'),
  'contract-only': reason(
    'a dataset that it mounts is for federations alone',
    'see `ringfence dp status`; its owner may change it',
  ),
  'secret-missing': reason(
    'a secret is missing, or not for this job',
    'set it with `ringfence secret set`, then launch it again',
  ),
  'wrong-site': reason('its data lies at another site and is not copied', 'see `ringfence dataset ls` for the site'),
  profile: reason('a profile that it names, or rules of it, are others by now', LABEL),
  policy: reason(
    'the organisation’s policy forbids it there',
    '`ringfence policy show` says why; narrow privacy.place, or ask an officer',
  ),
  federation: reason(
    'the contract of its federation does not hold for it',
    '`ringfence contract show` says what was agreed, `ringfence status` what of it does not hold',
  ),
};

/** More than a custodian's code says, by the first check that failed. */
export const CHECK_REASONS: Readonly<Record<string, Reason>> = {
  'agent-admission-ended': reason(
    'the papers of its server have ended, or its admitter was removed',
    '`ringfence keyring ls` says until when papers hold; `ringfence agent renew` takes new ones in',
  ),
  'evidence-not-verified': reason(
    'no evidence that counts covers its server',
    '`ringfence provider evidence ls` says what there is; add some with `ringfence provider evidence add FILE`',
  ),
  'receipt-price': reason('its server costs more than the job allows', 'raise resources.max_price'),
  'agent-residency': REFUSAL_REASONS.residency,
  'receipt-isolation': REFUSAL_REASONS.isolation,
};

/** Why an attempt was told to stop. */
export const STOP_REASONS: Readonly<Record<StopCause | 'admission', string>> = {
  requested: 'a member asked for that',
  superseded: 'another attempt takes its place',
  committed: 'an earlier attempt’s results were committed',
  drain: 'its server is drained',
  evidence: 'evidence that it was placed by counts no more',
  admission: 'the papers of its server have ended, or who admitted it may not any more',
  preempted: 'a job of higher priority needed the room',
};
