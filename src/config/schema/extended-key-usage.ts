import * as z from 'zod';
import { extendedKeyUsages } from '#x509';
import { quote } from '../problem.ts';
import { didYouMean } from '../suggestion.ts';
import { oid } from './values.ts';

/** Usages by which a device could speak for the authority itself, to other devices or to those who rely on it. */
const authorityUsages: Readonly<Record<string, string>> = {
  '2.5.29.37.0': 'anyExtendedKeyUsage is every purpose at once; list the purposes',
  '1.3.6.1.5.5.7.3.9': 'OCSPSigning would let a device answer for revocation (RFC 6960 section 4.2.2.2)',
  '1.3.6.1.5.5.7.3.27': 'cmcCA would let a device act as the CA (RFC 6402 section 2.10)',
  '1.3.6.1.5.5.7.3.28': 'cmcRA would let a device act as the EST server (RFC 7030 section 3.6.1)',
  '1.3.6.1.4.1.311.20.2.1': 'msCertificateRequestAgent would let a device enroll in the name of others',
};

/** A purpose by name or OID; an OID afterwards. */
export const extendedKeyUsage = z
  .string()
  .transform((text, context) => {
    const names = Object.entries(extendedKeyUsages);
    const value = names.find(([name]) => name === text)?.[1] ?? text;
    if (!oid.safeParse(value).success) {
      const known = names.map(([name]) => name);
      context.addIssue(
        `${quote(text)} is neither an extended key usage by name nor an OID${didYouMean(text, known)}`,
      );
    }
    const reason = authorityUsages[value];
    if (reason !== undefined) context.addIssue(reason);
    return value;
  })
  .meta({ form: 'usage name or OID' });
