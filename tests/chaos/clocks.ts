// A wall clock for each process, moved while it runs: libfaketime reads the offset from a file. Monotonic time is left alone.
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The library of Debian's package libfaketime, or undefined. */
export function fakeTimeLibrary(): string | undefined {
  return readdirSync('/usr/lib')
    .map((folder) => join('/usr/lib', folder, 'faketime/libfaketimeMT.so.1'))
    .find((path) => existsSync(path));
}

/** The file that says how far the clock of `process` is off. */
export function clockFile(root: string, process: string): string {
  return join(root, `clock-${process}`);
}

/** Sets how many seconds the clock of `process` is off, such as `+600`. */
export function setClock(root: string, process: string, offset: string): void {
  writeFileSync(clockFile(root, process), `${offset}\n`);
}

/** What makes a process obey its file, from its start on. */
export function clockEnvironment(root: string, process: string): Record<string, string> {
  const library = fakeTimeLibrary();
  if (library === undefined) throw new Error('there is no libfaketime: apt-get install libfaketime');
  setClock(root, process, '+0');
  return {
    LD_PRELOAD: library,
    FAKETIME_TIMESTAMP_FILE: clockFile(root, process),
    FAKETIME_CACHE_DURATION: '1',
    DONT_FAKE_MONOTONIC: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
    NO_FAKE_STAT: '1',
  };
}
