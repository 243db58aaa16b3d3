import * as z from 'zod';
import { entryName, rate } from './values.ts';

/** Rates of the generic cell rate algorithm. A refused request spends nothing. */
export const limits = z.strictObject({
  // A site behind NAT is one source. An enrollment is about three requests: a burst of 600 lets 200 devices start at
  // once, 300 a minute finish 5,000 devices within the hour, and 5 requests a second cost about 1 % of a core.
  // Guessing is no matter of this limit: secrets have 128 bits.
  source: rate
    .prefault({ burst: 600, count: 300, period: '1m' })
    .describe(
      'For each source address (IPv6: each /64), before any expensive cryptography. Sized for a site of 5,000 devices behind NAT, about three requests an enrollment.',
    ),
  device: rate
    .prefault({ burst: 5, count: 10, period: '1d' })
    .describe(
      'For each device: certificates asked for. What waits because its lineage is contested counts for the certificate that it presents instead, by the same numbers.',
    ),
  template: rate
    .prefault({ burst: 200, count: 1000, period: '1h' })
    .describe(
      'For each template: certificates asked for by the whole fleet. A thief of many secrets gets no more.',
    ),
  // An enrollment asks once, and again where the verifier has not answered: what is refused is sent again by nobody but who tries.
  verifier: rate
    .prefault({ burst: 10, count: 30, period: '1h' })
    .describe(
      'For each device and secret, certificate or account: questions to a verifier of its evidence (`attestation.verifiers`). Beyond it nobody is asked, and the client told to come later.',
    ),
  // Reading one message through the answers to changed ones takes some hundred thousand of them. Those that are being opened count until they are, so that
  // the burst is also how many of a source may be so at once.
  unopened: rate
    .prefault({ burst: 1000, count: 600, period: '1h' })
    .describe(
      'For each source address: SCEP messages that cannot be opened. Beyond it no message of the source is opened. Counted by each node for itself.',
    ),
  templates: z
    .record(entryName, rate.describe('Of this template.'))
    .prefault({})
    .describe('The same for single templates, by name, instead of `limits.template`.'),
});
