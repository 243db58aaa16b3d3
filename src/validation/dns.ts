import type { CaaRecord } from 'node:dns';
import { Resolver } from 'node:dns/promises';
import { isIP } from 'node:net';
import { SallyportError } from '#errors';
import { type Failure, failsForNow, fails } from './outcome.ts';

/** Questions to recursive resolvers, who follow CNAME records. `what` is how a failure names what was asked for. */
export interface Dns {
  /** At least one, IPv6 and IPv4 in turns. */
  addresses(name: string, what: string): Promise<readonly string[] | Failure>;
  /** At least one; the strings of a record are joined. */
  txt(name: string, what: string): Promise<readonly string[] | Failure>;
  /** None is an answer as well. */
  caa(name: string, what: string): Promise<readonly CaaRecord[] | Failure>;
}

export interface DnsSettings {
  readonly resolvers: readonly string[];
  readonly localAddress: string | null;
  readonly timeoutMilliseconds: number;
}

const tries = 2;
/** Of one question, before the next try or resolver. */
const longestTryMilliseconds = 2_000;

/** Remembers nothing from one attempt to the next. Throws `config` for what is no resolver. */
export function dnsBy(
  { resolvers, localAddress, timeoutMilliseconds }: DnsSettings,
  signal: AbortSignal,
): Dns {
  const timeout = Math.min(longestTryMilliseconds, Math.ceil(timeoutMilliseconds / (tries + 1)));
  const resolver = new Resolver({ timeout, tries, maxTimeout: timeout });
  configure(resolver, resolvers, localAddress);
  signal.addEventListener('abort', () => resolver.cancel(), { once: true });

  const ask = async <T>(question: () => Promise<readonly T[]>): Promise<readonly T[] | string> => {
    if (signal.aborted) return 'ETIMEOUT';
    try {
      return await question();
    } catch (error) {
      const code = codeOf(error);
      return code === 'ENOTFOUND' || code === 'ENODATA' ? [] : code;
    }
  };
  return {
    async addresses(name, what) {
      const answers = await Promise.all([
        ask(() => resolver.resolve6(name)),
        ask(() => resolver.resolve4(name)),
      ]);
      const [six, four] = answers.map((answer) => (typeof answer === 'string' ? [] : answer));
      const addresses = inTurns(six ?? [], four ?? []);
      if (addresses.length > 0) return addresses;
      const code = answers.find((answer) => typeof answer === 'string');
      return code === undefined
        ? failsForNow('dns', `there is no address of ${what}`)
        : failureOf(code, what);
    },
    async txt(name, what) {
      const answer = await ask(() => resolver.resolveTxt(name));
      if (typeof answer === 'string') return failureOf(answer, what);
      if (answer.length === 0) return failsForNow('dns', `there is no TXT record at ${what}`);
      return answer.map((strings) => strings.join(''));
    },
    async caa(name, what) {
      const answer = await ask(() => resolver.resolveCaa(name));
      return typeof answer === 'string' ? failureOf(answer, what) : answer;
    },
  };
}

function configure(resolver: Resolver, resolvers: readonly string[], localAddress: string | null): void {
  try {
    if (resolvers.length > 0) resolver.setServers(resolvers);
    if (localAddress === null) return;
    if (isIP(localAddress) === 6) resolver.setLocalAddress('0.0.0.0', localAddress);
    else resolver.setLocalAddress(localAddress);
  } catch (error) {
    throw new SallyportError(
      'config',
      'a resolver, or the local address of a perspective, is no IP address',
      {
        cause: error,
      },
    );
  }
}

function failureOf(code: string, what: string): Failure {
  switch (code) {
    case 'ETIMEOUT':
    case 'ECANCELLED':
      return failsForNow('dns', `the DNS did not answer in time, asked for ${what}`);
    case 'EBADNAME':
      return fails('dns', `the DNS cannot be asked for ${what}: the name is too long, or none`);
    case 'EBADRESP':
      return fails('dns', `the DNS answered what cannot be read, asked for ${what}`);
    default:
      // SERVFAIL, REFUSED, and resolvers that are not there.
      return failsForNow('dns', `the DNS failed, asked for ${what}`);
  }
}

function inTurns<T>(some: readonly T[], others: readonly T[]): T[] {
  const longest = Math.max(some.length, others.length);
  return Array.from({ length: longest }, (_, at) => [
    ...some.slice(at, at + 1),
    ...others.slice(at, at + 1),
  ]).flat();
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'EUNKNOWN';
}
