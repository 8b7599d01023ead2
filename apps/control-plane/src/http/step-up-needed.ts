import type { Digest } from '@ringfence/crypto/sign';
import type { Requirement, StepUp } from '@ringfence/policy/assurance';
import { ControlPlaneError } from '../control-plane-error.ts';

/** Who asks is not known surely enough: what would be enough is told (the challenge that RFC 9470 has for tokens). */
export class StepUpNeeded extends ControlPlaneError {
  readonly needed: {
    readonly level: number;
    readonly withinMs: number;
    readonly enough: readonly StepUp[];
    /** At level 3: what a passkey's challenge has to be of. */
    readonly forDigest?: Digest | undefined;
  };

  constructor({ level, withinMs }: Requirement, enough: readonly StepUp[], forDigest: Digest | undefined) {
    super('step-up', 'this asks for a surer sign of who you are', {
      next:
        enough.length === 0
          ? 'enrol a factor at /account that reaches this level'
          : `give one of these, then ask again: ${enough.join(', ')} (\`ringfence account step-up\`, or at /account)`,
    });
    this.needed = { level, withinMs, enough, forDigest };
  }
}
