// Loaded before the tests of a runner (--import). Tests that never wait leave the event loop no turn, and without one what they came to is
// told when all are over: their runner would be taken for a hung one (run-files.ts).
import { beforeEach } from 'node:test';

// Taken here: a test may mock timers.
const { setImmediate } = globalThis;

beforeEach(() => new Promise<void>((resolve) => void setImmediate(resolve)));
