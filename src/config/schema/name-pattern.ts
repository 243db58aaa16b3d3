import { isIP } from 'node:net';
import { isSallyportError } from '#errors';
import { parseCidr } from '#limits';

/** The kinds of alternative names that a template can build. */
export const nameKinds = ['dns', 'uri', 'email', 'ip'] as const;
export type NameKind = (typeof nameKinds)[number];

/** `{device.id}`, `{device.serialNumber}` or an identifier of the inventory. */
const placeholder = /\{device\.[a-z][A-Za-z0-9]{0,63}\}/g;

/** What is wrong with a pattern of a subject attribute or alternative name, or null. */
export function patternProblem(pattern: string): string | null {
  if (pattern === '') return 'a name pattern is not empty';
  if (pattern.length > 255) return 'a name pattern has at most 255 characters';
  if (/[\p{Cc}\p{Zl}\p{Zp}\p{Cs}]/u.test(pattern)) return 'a name pattern has no control characters';
  if (/[{}]/.test(pattern.replaceAll(placeholder, ''))) {
    return 'a placeholder is {device.id}, {device.serialNumber} or {device.IDENTIFIER}, such as {device.dnsName}';
  }
  return null;
}

/** The same for an alternative name, whose kind must fit whatever the device is called. */
export function alternativeNameProblem(kind: NameKind, pattern: string): string | null {
  const problem = patternProblem(pattern);
  if (problem !== null) return problem;
  const sample = pattern.replaceAll(placeholder, 'x');
  switch (kind) {
    case 'dns':
      return hostName.test(sample) ? null : 'must be a DNS name, without wildcard';
    case 'email':
      return /^[^@\s]+@[^@\s]+$/.test(sample) ? null : 'must be a mail address';
    case 'uri':
      return URL.canParse(sample) ? null : 'must be a URI with its scheme';
    case 'ip':
      return sample === 'x' || isIP(sample) !== 0 ? null : 'must be an IP address or one placeholder';
  }
}

/** What is wrong with the range from which requests may choose names, or null. */
export function rangeProblem(kind: NameKind, within: string): string | null {
  switch (kind) {
    case 'dns':
    case 'email':
      return hostName.test(within) ? null : 'must be a DNS name: it and the names below it are allowed';
    case 'uri':
      return uriRange.test(within)
        ? null
        : 'must be the beginning of a URI, to a "/" or ":" behind any host name';
    case 'ip':
      return cidrProblem(within);
  }
}

function cidrProblem(text: string): string | null {
  if (!text.includes('/')) return 'must be an address range such as 192.0.2.0/24';
  try {
    parseCidr(text);
    return null;
  } catch (error) {
    if (!isSallyportError(error)) throw error;
    return error.message;
  }
}

/**
 * A prefix that ended inside the authority would allow https://example.com.attacker.net, or
 * https://example.com:x@attacker.net.
 */
const uriRange = /^[a-z][a-z0-9+.-]*:(?:\/\/[^/?#@\s]+\/(?:\S*[/:])?|[^/\s]\S*[/:])$/i;

const hostName =
  /^(?=.{1,253}$)(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?(?:\.|$))+(?<!\.)(?<!(?:^|\.)[0-9]+)$/;
