import * as account from './account.ts';
import { Refused } from './api.ts';
import { showDeviceAsks, stepUpDevice, takeDeviceAsks } from './device-step-up.ts';
import { onClick, onSubmit, say, showOnly } from './elements.ts';
import { keptKey } from './kept-key.ts';
import * as signIn from './sign-in.ts';

/** What the provider sent, while a code is asked for beside it. */
let search = '';

async function show(): Promise<void> {
  const key = await keptKey();
  if (key?.session === undefined) {
    account.showSignedOut();
    say('Nobody is signed in here.');
    return;
  }
  try {
    if (await showDeviceAsks()) return;
    await account.showAccount();
    say('You are signed in.');
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    account.showSignedOut();
    say(error.message, 'refused');
  }
}

async function comeBack(): Promise<void> {
  search = signIn.takeSearch();
  const { purpose, assures } = signIn.signOnBegun();
  if (purpose === 'sign-in' && assures === 1) {
    showOnly('signed-on-code');
    say('Your identity provider knows you.');
    return;
  }
  await endSignOn('');
}

async function endSignOn(code: string): Promise<void> {
  try {
    await signIn.endSignOn(search, code);
  } catch (error) {
    await show();
    say(error instanceof Refused ? error.message : 'That did not work.', 'refused');
    return;
  }
  await show();
}

/** An invitation that came as `#invitation=SECRET` is put into its form, and out of the address. */
function takeInvitation(): void {
  const [, secret] = /^#invitation=([A-Za-z0-9_-]{43})$/.exec(location.hash) ?? [];
  const field = document.querySelector<HTMLInputElement>('#accept-invitation input');
  if (secret === undefined || field === null) return;
  field.value = secret;
  history.replaceState(null, '', '/account');
}

onClick('sign-in-passkey', () => signIn.signInByPasskey().then(show));
onSubmit('sign-in-password', (field) =>
  signIn.signInByPassword(field('name'), field('password'), field('code')).then(show),
);
onSubmit('accept-invitation', (field) => signIn.acceptInvitation(field('secret')).then(show));
onSubmit('sign-in-provider', (field) => signIn.goToProvider(field('provider'), 'sign-in'));
onSubmit('second-code', (field) => endSignOn(field('code')));
onSubmit('link-provider', (field, button) =>
  signIn.goToProvider(field('provider'), button === 'step-up' ? 'step-up' : 'link'),
);
onClick('sign-out', () => signIn.signOut().then(show));
onClick('add-passkey', account.addPasskey);
onClick('step-up-passkey', account.stepUpByPasskey);
onSubmit('step-up-code', (field) => account.stepUpByCode(field('code')));
onClick('begin-totp', account.beginTotp);
onSubmit('confirm-totp', (field) => account.confirmTotp(field('code')));
onSubmit('set-password', (field) => account.setPassword(field('password'), field('current')));
onClick('make-codes', account.makeCodes);
onClick('step-up-device', stepUpDevice);
onClick('end-others', account.endOthers);

takeDeviceAsks();
takeInvitation();
await (signIn.isBack() ? comeBack() : show());
