import { parseHostPort, type HostPort } from './host-port.ts';
import { parseLogLevel, type LogLevel } from './log.ts';
import { parseDuration, parseSize } from './quantity.ts';

/** Reads values of a service's flags; each throws what `bad` made of the flag's name and what to write instead. */
export interface FlagValues {
  /** `HOST:PORT`, `[::1]:7443` for IPv6. */
  readonly address: (flag: string, text: string) => HostPort;
  /** Milliseconds; undefined for `never` and for a flag that was not given. */
  readonly age: (flag: string, text: string | undefined) => number | undefined;
  /** Bytes, 1,000 at least. */
  readonly size: (flag: string, text: string) => number;
  /** `info` when it was not given. */
  readonly logLevel: (text: string | undefined) => LogLevel;
  /** Both files of `--tls-cert` and `--tls-key`, or none. */
  readonly certificateFiles: (
    certificateFile: string | undefined,
    keyFile: string | undefined,
  ) => { readonly certificateFile: string; readonly keyFile: string } | undefined;
}

/** {@link FlagValues} whose errors are those of one app: `bad` gets what is wrong, and what to do about it. */
export function flagValues(bad: (message: string, next: string) => Error): FlagValues {
  return {
    address(flag, text) {
      const parsed = parseHostPort(text);
      if (parsed === undefined)
        throw bad(`--${flag} is not HOST:PORT`, 'write it as 0.0.0.0:7443, or [::]:7443 for IPv6');
      return parsed;
    },
    age(flag, text) {
      if (text === undefined || text === 'never') return undefined;
      const milliseconds = parseDuration(text);
      if (milliseconds === undefined) throw bad(`--${flag} is no time`, 'write it as 90d, or never');
      return milliseconds;
    },
    size(flag, text) {
      const bytes = parseSize(text);
      if (bytes === undefined || bytes < 1_000) throw bad(`--${flag} is not a size`, 'write it as 500MB or 5GB');
      return bytes;
    },
    logLevel(text) {
      const level = parseLogLevel(text ?? 'info');
      if (level === undefined) throw bad('--log-level is unknown', 'choose debug, info, warn or error');
      return level;
    },
    certificateFiles(certificateFile, keyFile) {
      if (certificateFile === undefined && keyFile === undefined) return undefined;
      if (certificateFile === undefined || keyFile === undefined)
        throw bad('--tls-cert and --tls-key belong together', 'name both files, or none');
      return { certificateFile, keyFile };
    },
  };
}
