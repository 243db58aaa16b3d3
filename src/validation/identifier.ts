import { isIP } from 'node:net';
import { domainToASCII, domainToUnicode } from 'node:url';
import { formatIpAddress, parseIpAddress } from '#x509';
import { isMapped } from './mapped-address.ts';

/** RFC 8555 section 9.7.7, RFC 8738 section 3. */
export interface Identifier {
  readonly type: 'dns' | 'ip';
  readonly value: string;
}

const maximumNameOctets = 253;
const maximumLabelOctets = 63;

/**
 * What keeps it from being an identifier, in words for the client; null: nothing does. One identifier has one spelling. Names of one label are
 * names here: whether anybody may have them is the template's to say.
 */
export function identifierProblem({ type, value }: Identifier): string | null {
  return type === 'ip' ? addressProblem(value) : nameProblem(value);
}

/** RFC 8555 section 7.1.3: the wildcard is "a single asterisk character followed by a single full stop character" before the name. */
function nameProblem(value: string): string | null {
  const name = value.startsWith('*.') ? value.slice(2) : value;
  if (name === '') return 'it is empty';
  if (value.length > maximumNameOctets) return `it is longer than ${maximumNameOctets} octets`;
  if (isIP(name) !== 0) return 'it is an IP address: write it with the type "ip"';
  const labels = name.split('.');
  for (const label of labels) {
    const problem = labelProblem(label);
    if (problem !== null) return problem;
  }
  // RFC 1123 section 2.1: what ends in a number is an address to who reads it as one (127.1, 0x7f.1).
  if (/^(?:\d+|0x[0-9a-f]*)$/.test(labels.at(-1) ?? '')) return 'its last label is a number';
  return null;
}

/** RFC 5890 section 2.3.1: an LDH label in lower case that is an A-label where it looks like one. */
function labelProblem(label: string): string | null {
  if (label === '') return 'it has an empty label, or a dot at its end';
  if (label.length > maximumLabelOctets) return `it has a label of more than ${maximumLabelOctets} octets`;
  if (!/^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/.test(label)) {
    return 'its labels are not of lower-case letters and digits, with hyphens between them';
  }
  if (label.slice(2, 4) !== '--') return null;
  if (!label.startsWith('xn--')) return 'it has a label with hyphens in the third and fourth place';
  return isALabel(label) ? null : 'it has a label that begins with xn-- and is no A-label';
}

function isALabel(label: string): boolean {
  const unicode = domainToUnicode(label);
  return unicode !== '' && unicode !== label && domainToASCII(unicode) === label;
}

/** RFC 8738 section 3: the textual form of RFC 1123 section 2.1, or of RFC 5952 section 4. */
function addressProblem(value: string): string | null {
  if (isIP(value) === 0 || value.includes('%')) return 'it is not an IP address';
  const octets = parseIpAddress(value);
  if (isMapped(octets)) return 'it is an IPv4 address in IPv6 form: write it as IPv4';
  const canonical = formatIpAddress(octets);
  return canonical === value ? null : `it is not in the form of RFC 5952: write ${canonical}`;
}
