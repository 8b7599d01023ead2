import { ask } from './api.ts';
import { byId, say, showOnly } from './elements.ts';
import { signWithPasskey, type UseAsked } from './passkey.ts';

/** A device that asked for a step-up in a browser: `#step-up=CEREMONY.SECRET` of the address that its CLI opened. */
interface DeviceAsks {
  readonly ceremony: string;
  readonly secret: string;
}

let asking: DeviceAsks | undefined;

/** Takes from the address what a device asks, and leaves nothing of it there. */
export function takeDeviceAsks(): void {
  const [, ceremony, secret] = /^#step-up=(cer_[a-z2-7]{26})\.([A-Za-z0-9_-]{43})$/.exec(location.hash) ?? [];
  if (ceremony === undefined || secret === undefined) return;
  asking = { ceremony, secret };
  history.replaceState(null, '', '/account');
}

/** Shows which device asks; whether one does. */
export async function showDeviceAsks(): Promise<boolean> {
  if (asking === undefined) return false;
  const { device } = await ask<{ device: string }>('POST', '/v1/step-up/browser/look', asking);
  byId('device-id').textContent = device;
  showOnly('device');
  say('');
  return true;
}

/** Gives a passkey to that device. */
export async function stepUpDevice(): Promise<void> {
  if (asking === undefined) return;
  const asked = await ask<UseAsked>('POST', '/v1/step-up/browser/look', asking);
  await ask('POST', '/v1/step-up/browser', { ...asking, assertion: await signWithPasskey(asked) });
  asking = undefined;
  showOnly();
  say('The device has stepped up. Go back to it.');
}
