import type { z } from 'zod';

/** One thing that reaches the control plane: who sends it, its shape, and what each of its fields tells. */
export interface LearnedSource {
  readonly what: string;
  readonly from: string;
  readonly schema: z.ZodType;
  /** A sentence for each field that is not only a container; shapes told elsewhere on the page are left out by `PARTS`. */
  readonly tells: Readonly<Record<string, string>>;
}
