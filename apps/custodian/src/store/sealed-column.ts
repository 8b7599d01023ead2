import { createHmac } from 'node:crypto';
import { canonicalBytes, fromUtf8, type Rng, type Secret } from '@ringfence/base';
import { openAtRest, sealAtRest, type RecordKey } from '@ringfence/crypto/record';
import type { z } from 'zod';
import type { CustodianTables } from './tables.ts';

/** A column whose values rest sealed. */
export interface SealedColumn<Schema extends z.ZodType> {
  readonly table: keyof CustodianTables;
  readonly column: string;
  readonly schema: Schema;
}

/** Seals and opens columns under the custodian's record key. */
export class ColumnSeal {
  readonly #key: RecordKey;
  readonly #names: Secret;
  readonly #rng: Rng;

  constructor(keys: { records: RecordKey; names: Secret }, rng: Rng) {
    this.#key = keys.records;
    this.#names = keys.names;
    this.#rng = rng;
  }

  /** `value` sealed for its row. */
  seal<Schema extends z.ZodType>(of: SealedColumn<Schema>, row: string, value: z.input<Schema>): Buffer {
    return Buffer.from(sealAtRest(this.#key, placeOf(of, row), canonicalBytes(value), this.#rng));
  }

  /** The value of a row; throws CryptoError `cannot-open` for one of another row, column or key. */
  open<Schema extends z.ZodType>(of: SealedColumn<Schema>, row: string, sealed: Uint8Array): z.output<Schema> {
    return of.schema.parse(JSON.parse(fromUtf8(openAtRest(this.#key, placeOf(of, row), sealed))));
  }

  /** By what a sealed name is found: HMAC-SHA-256, base64url. Equal names of different tables have different indexes. */
  index(table: keyof CustodianTables, name: string): string {
    return createHmac('sha256', this.#names.expose()).update(`${table}\0${name}`).digest('base64url');
  }
}

function placeOf({ table, column }: SealedColumn<z.ZodType>, row: string) {
  return { table, column, row };
}
