import type { Sensitivity } from '@ringfence/protocol';

/** Whether what carries this label opens outside its boundary only by a word of the data's owner (invariant 8). */
export function isGated(sensitivity: Sensitivity): boolean {
  return sensitivity === 'confidential' || sensitivity === 'restricted';
}
