import type { MessageSigner, TransportKey } from '#cms';
import type { Certificate } from '#x509';

/** The registration authority of an issuer (RFC 8894 section 2.1.2): it opens requests and signs answers, and issues nothing. */
export interface RaInForce {
  readonly key: MessageSigner['key'] & TransportKey;
  /** All of this key, the one that ends last first. Messages to any of them are opened. */
  readonly certificates: () => readonly Certificate[];
  /** As the store has them now, or had them a second ago. */
  readonly readAgain: () => Promise<readonly Certificate[]>;
}
