/** What an error may carry beside its code and message. */
export interface ErrorDetail {
  readonly cause?: unknown;
  /** The next step for the person who reads the message. */
  readonly next?: string;
}

/** Base of each package's one error class: a closed union of codes is API, the message is not. */
export abstract class RingfenceError<Code extends string = string> extends Error {
  readonly code: Code;
  readonly next: string | undefined;

  constructor(code: Code, message: string, detail: ErrorDetail = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.name = new.target.name;
    this.code = code;
    this.next = detail.next;
  }
}

/** `message` of anything thrown, for logs and for people. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
