import { ControlPlaneError } from '../control-plane-error.ts';
import type { AddressTries } from './address-tries.ts';

/** Runs a sign-in for an address that may try now; one that shows nobody counts as a wrong try of it. Throws ControlPlaneError `too-much`. */
export async function countedTry<T>(tries: AddressTries, address: string, run: () => Promise<T>): Promise<T> {
  tries.assertMayTry(address);
  try {
    return await run();
  } catch (error) {
    if (error instanceof ControlPlaneError && error.code === 'not-authenticated') tries.wrong(address);
    throw error;
  }
}
