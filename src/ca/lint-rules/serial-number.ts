import { serialNumberOctets } from '../serial-number.ts';
import type { LintRule } from './lint-rule.ts';

/** 128 bits and more need 17 octets: the first bit of the first is the sign. */
const minimumOctets = 17;

export const serialNumber: LintRule = {
  id: 'serial-number',
  source: 'RFC 5280 section 4.1.2.2',
  check({ certificate: { serialNumber: hex } }) {
    const octets = hex.length / 2 + (/^[89a-f]/u.test(hex) ? 1 : 0);
    if (octets >= minimumOctets && octets <= serialNumberOctets) return null;
    return `serial number of ${octets} octets; ${minimumOctets} to ${serialNumberOctets} are right`;
  },
};
