import { canonicalHostName, canonicalIpAddress, type GeneralName, sidUriPrefix } from '#x509';

/** The kinds that a template builds or admits. */
export type AlternativeNameKind = 'dns' | 'uri' | 'email' | 'ip';
export type AlternativeName = Extract<GeneralName, { kind: AlternativeNameKind }>;

/** RFC 5322 section 3.2.3. Quoted local parts have no place in a certificate for a device. */
const dotAtom = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/u;
/** RFC 3986 section 2: unreserved, reserved and percent-encoded characters, after a scheme (section 3.1). */
const absoluteUri = /^[A-Za-z][A-Za-z0-9+.-]*:(?:[A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})+$/u;
/** `.` and `..` in any spelling: a prefix that a rule admits could be climbed out of. */
const dotSegment = /\/(?:\.|%2e){1,2}(?:[/?#]|$)/iu;
const maximumUriLength = 2048;
const maximumEmailLength = 254;

/**
 * The one spelling in which a name is compared and certified: dns and the domain of an email in lower case (RFC 5280
 * sections 7.2 and 7.5), addresses as RFC 5952 writes them. null where the value is no such name.
 */
export function canonicalAlternativeName(kind: AlternativeNameKind, value: string): AlternativeName | null {
  switch (kind) {
    case 'dns': {
      const host = canonicalHostName(value);
      return host === null ? null : { kind, value: host };
    }
    case 'email':
      return canonicalEmail(value);
    case 'uri':
      return isUri(value) ? { kind, value } : null;
    case 'ip':
      return canonicalAddress(value);
  }
}

/** null for kinds that no template builds or admits, and for values that are no such name. A name of DNS may be a wildcard, which no template builds. */
export function canonicalRequestedName(name: GeneralName): AlternativeName | null {
  switch (name.kind) {
    case 'dns': {
      // RFC 6125 section 6.4.3: the asterisk stands for the left-most label, as a whole.
      const wildcard = name.value.startsWith('*.') ? '*.' : '';
      const host = canonicalAlternativeName('dns', name.value.slice(wildcard.length));
      return host === null ? null : { kind: 'dns', value: `${wildcard}${host.value}` };
    }
    case 'uri':
    case 'email':
    case 'ip':
      return canonicalAlternativeName(name.kind, name.value);
    default:
      return null;
  }
}

/** Microsoft's strong mapping: `tag:microsoft.com,2022-09-14:sid:S-1-5-…`. A scheme's case does not matter. */
export function isSidUri(name: GeneralName): boolean {
  return name.kind === 'uri' && name.value.toLowerCase().startsWith(sidUriPrefix);
}

function canonicalEmail(value: string): AlternativeName | null {
  const at = value.indexOf('@');
  const local = value.slice(0, at);
  const domain = canonicalHostName(value.slice(at + 1));
  const valid = domain !== null && at > 0 && value.length <= maximumEmailLength && dotAtom.test(local);
  return valid ? { kind: 'email', value: `${local}@${domain}` } : null;
}

/** RFC 5280 section 4.2.1.6: "The name MUST NOT be a relative URI". */
function isUri(value: string): boolean {
  return value.length <= maximumUriLength && absoluteUri.test(value) && !dotSegment.test(value);
}

function canonicalAddress(value: string): AlternativeName | null {
  const address = canonicalIpAddress(value);
  return address === null ? null : { kind: 'ip', value: address };
}
