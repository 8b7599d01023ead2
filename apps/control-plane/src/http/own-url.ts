import { ControlPlaneError } from '../control-plane-error.ts';

/** Where clients and browsers reach this control plane: as its operator says, else known once it listens. */
export class OwnUrl {
  #url: string | undefined;

  /** Says where that is. */
  set(url: string): void {
    this.#url = url;
  }

  /** Throws ControlPlaneError `unavailable` before it is known. */
  get url(): string {
    if (this.#url !== undefined) return this.#url;
    throw new ControlPlaneError('unavailable', 'this control plane is only starting', { next: 'try again' });
  }
}
