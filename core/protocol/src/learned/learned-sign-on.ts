import {
  accountSignOnBegin,
  accountSignOnEnd,
  browserStepUp,
  browserStepUpLook,
  passkeyMade,
  passkeyRemoval,
  passkeySignIn,
  passkeySignInBegin,
  passkeyStepUp,
  passkeyStepUpBegin,
  serviceAccountAdd,
  signOnBegin,
  signOnEnd,
  ssoProviderAdd,
  tokenExchange,
} from '../api/index.ts';
import type { LearnedSource } from './learned-source.ts';

const CEREMONY = 'which challenge is answered, by a random id';
const BROWSER_KEY = 'a public key that the browser made for this sign-in alone';
const CREDENTIAL = 'which passkey, by an id that its authenticator drew';
const CLIENT_DATA = 'the challenge, and the address of this control plane as the browser sees it';
const ASSERTION = {
  'assertion.id': CREDENTIAL,
  'assertion.clientDataJSON': CLIENT_DATA,
  'assertion.authenticatorData': 'that the person was there and verified, and how often the passkey was used',
  'assertion.signature': 'that the passkey signed',
  'assertion.userHandle': 'whose passkey it is: the member’s random id',
};
const PROVIDER = 'which identity provider, by a random id';
const SEARCH =
  'a code that this control plane redeems at the provider, once; it learns the subject there and keeps a keyed digest of it';

/** What browsers, officers and workloads send to sign on by passkeys, identity providers and federated tokens. */
export const SIGN_ON_SOURCES: readonly LearnedSource[] = [
  {
    what: 'Sign-in by passkey, begun',
    from: 'a browser',
    schema: passkeySignInBegin,
    tells: { publicKey: BROWSER_KEY },
  },
  {
    what: 'Sign-in by passkey',
    from: 'a browser',
    schema: passkeySignIn,
    tells: { ceremony: CEREMONY, ...ASSERTION, publicKey: BROWSER_KEY },
  },
  {
    what: 'New passkey',
    from: 'a member’s browser',
    schema: passkeyMade,
    tells: {
      ceremony: CEREMONY,
      'credential.id': CREDENTIAL,
      'credential.clientDataJSON': CLIENT_DATA,
      'credential.attestationObject': 'its public key, the make of the authenticator, and whether it may be copied',
    },
  },
  {
    what: 'Passkey, removed',
    from: 'a member’s browser',
    schema: passkeyRemoval,
    tells: { credential: CREDENTIAL },
  },
  {
    what: 'Step-up by passkey, begun',
    from: 'a member’s browser',
    schema: passkeyStepUpBegin,
    tells: { forDigest: 'nothing but sameness with the request that it is for' },
  },
  {
    what: 'Step-up by passkey',
    from: 'a member’s browser',
    schema: passkeyStepUp,
    tells: { ceremony: CEREMONY, ...ASSERTION },
  },
  {
    what: 'Look at a device that asks for a step-up',
    from: 'a member’s browser',
    schema: browserStepUpLook,
    tells: { ceremony: CEREMONY, secret: 'that the browser was opened by the device that asks' },
  },
  {
    what: 'Step-up for a device',
    from: 'a member’s browser',
    schema: browserStepUp,
    tells: { ceremony: CEREMONY, secret: 'that the browser was opened by the device that asks', ...ASSERTION },
  },
  {
    what: 'Identity provider',
    from: 'an officer’s device or browser',
    schema: ssoProviderAdd,
    tells: {
      issuer: 'which identity provider the organisation uses: often whose it is',
      clientId: 'by which name it knows this control plane',
      algorithms: 'how it signs',
      assures: 'how sure the organisation takes its word to be',
      acr: 'what the provider calls that',
      secret: 'what this control plane shows the provider; lies sealed',
    },
  },
  {
    what: 'Sign-in at an identity provider, begun',
    from: 'a browser',
    schema: signOnBegin,
    tells: { provider: PROVIDER, publicKey: BROWSER_KEY },
  },
  {
    what: 'Sign-in at an identity provider',
    from: 'a browser that the provider sent back',
    schema: signOnEnd,
    tells: {
      search: SEARCH,
      publicKey: BROWSER_KEY,
      'second.(1) kind': 'which factor is given beside',
      'second.(1) code': 'a code that is good once',
      'second.(2) kind': 'which factor is given beside',
      'second.(2) code': 'a code that is good once',
    },
  },
  {
    what: 'Step-up at an identity provider, begun',
    from: 'a member’s browser',
    schema: accountSignOnBegin,
    tells: { provider: PROVIDER, purpose: 'whether to step up or to link' },
  },
  {
    what: 'Step-up at an identity provider',
    from: 'a member’s browser that the provider sent back',
    schema: accountSignOnEnd,
    tells: { search: SEARCH },
  },
  {
    what: 'Service account',
    from: 'an officer’s device or browser',
    schema: serviceAccountAdd,
    tells: {
      '(1) roles[].role': 'what it may do: one word of a list',
      '(1) roles[].project': 'in which project alone, by a random id',
      '(1) federation.issuer': 'where the organisation’s workloads run',
      '(1) federation.audience': 'for whom their tokens are made',
      '(1) federation.subject': 'which workload: often the name of a repository or cluster',
      '(2) roles[].role': 'what it may do: one word of a list',
      '(2) roles[].project': 'in which project alone, by a random id',
      '(2) key.publicKey': 'a public key',
      '(2) key.days': 'for how many days it counts',
    },
  },
  {
    what: 'Token of a workload',
    from: 'a service account',
    schema: tokenExchange,
    tells: {
      token:
        'issuer, audience and subject as above, and whatever else its issuer puts into it, which is dropped unread',
      publicKey: 'a public key, under which its requests are checked',
    },
  },
];
