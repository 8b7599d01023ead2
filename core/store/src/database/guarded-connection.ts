import type { CompiledQuery, DatabaseConnection, QueryResult } from 'kysely';
import pg from 'pg';
import { StoreError } from '../store-error.ts';
import { isUsableAfter, translateCommitFailure, translateFailure } from './failure.ts';
import { statementName } from './statement-names.ts';

const ROWS_CHANGED = new Set(['INSERT', 'UPDATE', 'DELETE', 'MERGE']);

interface Statement {
  readonly sql: string;
  readonly parameters: readonly unknown[];
}

const COMMIT: Statement = { sql: 'commit', parameters: [] };

/**
 * One lease of a pooled client; `ended` from COMMIT or ROLLBACK on. What begins a transaction travels with its first statement, and what
 * is asked for last with COMMIT: each round trip of a transaction that holds locks is waited for by others.
 */
export class GuardedConnection implements DatabaseConnection {
  readonly #client: pg.PoolClient;
  #begin: readonly Statement[] | undefined;
  #lock: Promise<readonly pg.QueryResult[]> | undefined;
  #hasLock = false;
  #last: Statement[] = [];
  #ended = false;
  #broken = false;

  constructor(client: pg.PoolClient) {
    this.#client = client;
  }

  /**
   * Begins a transaction with the first statement that follows; `sql` may be several statements without parameters. `lock` comes before all
   * others and has to find a row.
   */
  begin(sql: string, lock?: CompiledQuery): void {
    this.#begin = [{ sql, parameters: [] }, ...(lock === undefined ? [] : [lock])];
    this.#hasLock = lock !== undefined;
  }

  /** The row that the transaction's `lock` found. */
  async locked(): Promise<unknown> {
    if (this.#ended) throw ended();
    return this.#lockedRow();
  }

  async #lockedRow(): Promise<unknown> {
    if (this.#begin !== undefined) void this.#send([]);
    try {
      return (await this.#lock)?.[1]?.rows[0];
    } catch (error) {
      this.#noteBroken(error);
      throw translateFailure(error);
    }
  }

  #noteBroken(error: unknown): void {
    this.#broken ||= !isUsableAfter(error) && !(error instanceof StoreError);
  }

  /** Sends a statement with COMMIT, after all others. */
  atCommit({ sql, parameters }: CompiledQuery): void {
    if (this.#ended) throw ended();
    this.#last.push({ sql, parameters });
  }

  async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    if (this.#ended) throw ended();
    try {
      return resultOf((await this.#answers(this.#send([{ sql, parameters }]))).at(-1));
    } catch (error) {
      this.#noteBroken(error);
      throw translateFailure(error);
    }
  }

  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    yield* [];
    throw new StoreError('query-failed', 'results are not streamed', { next: 'read pages by key' });
  }

  /** Commits; gives the rows of the statement that was asked for last, if any. */
  async commit<R>(): Promise<QueryResult<R>> {
    this.#ended = true;
    // Nothing was ever asked of the server.
    if (this.#begin !== undefined && this.#last.length === 0) return { rows: [] };
    // Without its row the server would commit all the same.
    if (this.#hasLock)
      await this.#lockedRow().catch(async (error: unknown) => {
        await this.#rollBack();
        throw error;
      });
    const answers = await this.#answers(this.#send([...this.#last, COMMIT])).catch((error: unknown) => {
      const usable = isUsableAfter(error) || error instanceof StoreError;
      this.#broken ||= !usable;
      throw usable ? translateFailure(error) : translateCommitFailure(error);
    });
    // The server answers COMMIT of a failed transaction with ROLLBACK and no error.
    if (answers.at(-1)?.command !== 'COMMIT')
      throw new StoreError('aborted', 'a statement failed and nobody noticed: the transaction was rolled back', {
        next: 'let errors of queries leave the callback',
      });
    return resultOf(this.#last.length === 0 ? undefined : answers.at(-2));
  }

  /** Never throws: the error that led here is the one worth telling, and a broken connection rolls back by itself. */
  async rollback(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    if (this.#begin !== undefined) return;
    await this.#rollBack();
  }

  async #rollBack(): Promise<void> {
    if (this.#broken) return;
    try {
      await this.#client.query('rollback');
    } catch {
      this.#broken = true;
    }
  }

  /** Gives the client back to its pool, which drops it when it cannot be used any more. */
  release(): void {
    this.#ended = true;
    this.#client.release(this.#broken);
  }

  /** Hands all to the socket, in one write with whatever else is sent in this tick; answers come in order, whatever becomes of one. */
  #send(statements: readonly Statement[]): Promise<pg.QueryResult>[] {
    const begin = this.#begin;
    this.#begin = undefined;
    const stream = streamOf(this.#client);
    if (stream !== undefined) {
      stream.cork();
      process.nextTick(() => stream.uncork());
    }
    const query = (statement: Statement): Promise<pg.QueryResult> => this.#client.query(configOf(statement));
    if (begin !== undefined) {
      this.#lock = allOf(begin.map(query)).then(found);
      // Whoever waits for an answer is told.
      this.#lock.catch(() => {});
    }
    return statements.map(query);
  }

  /** The answers, once what began the transaction has been answered too. */
  async #answers(sent: readonly Promise<pg.QueryResult>[]): Promise<readonly pg.QueryResult[]> {
    const [, answers] = await allOf([this.#lock ?? [], allOf(sent)] as const);
    return answers;
  }
}

function configOf({ sql, parameters }: Statement): pg.QueryConfig {
  if (parameters.length === 0) return { text: sql };
  const name = statementName(sql);
  return { text: sql, values: [...parameters], ...(name === undefined ? {} : { name }) };
}

/** All answers, or the first failure in their order once all have come. */
async function allOf<T extends readonly unknown[]>(answers: T): Promise<{ -readonly [At in keyof T]: Awaited<T[At]> }> {
  const done = await Promise.allSettled(answers);
  const failed = done.find((answer) => answer.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return Promise.all(answers);
}

function resultOf<R>(answer: pg.QueryResult | undefined): QueryResult<R> {
  if (answer === undefined) return { rows: [] };
  const { command, rowCount, rows } = answer;
  return ROWS_CHANGED.has(command) ? { numAffectedRows: BigInt(rowCount ?? 0), rows } : { rows };
}

/** Of a transaction that begins with a lock, the lock has to have found its row. */
function found(answers: readonly pg.QueryResult[]): readonly pg.QueryResult[] {
  if (answers.length < 2 || answers[1]?.rows.length !== 0) return answers;
  throw new StoreError('query-failed', 'what the transaction was to lock is not there');
}

function streamOf(client: pg.PoolClient): pg.Connection['stream'] | undefined {
  const connection: unknown = 'connection' in client ? client.connection : undefined;
  return connection instanceof pg.Connection ? connection.stream : undefined;
}

function ended(): StoreError {
  return new StoreError('ended', 'a transaction was used after its end', { next: 'await every query' });
}
