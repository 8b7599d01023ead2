import { z } from 'zod';
import { whole } from '../fields.ts';

const width = whole(1, 1_000_000);
const classes = whole(2, 10_000);
const side = whole(8, 1_024);

/** What the embedded trainer can train. */
export const modelSpec = z.discriminatedUnion('kind', [
  /** Softmax regression: one linear layer. */
  z.strictObject({ kind: z.literal('softmax'), inputs: width, classes }),
  /** Fully connected layers with one activation between them. */
  z.strictObject({
    kind: z.literal('mlp'),
    inputs: width,
    hidden: z.array(whole(1, 65_536)).min(1).max(16),
    activation: z.enum(['tanh', 'relu']),
    classes,
  }),
  /** Two convolutions and two linear layers (Papernot et al. 2021, table 1). */
  z.strictObject({
    kind: z.literal('cnn'),
    height: side,
    width: side,
    channels: whole(1, 64),
    filters: z.tuple([whole(1, 1_024), whole(1, 1_024)]),
    hidden: whole(1, 65_536),
    classes,
  }),
]);

export type ModelSpec = z.infer<typeof modelSpec>;
