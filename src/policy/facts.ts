/**
 * What policies see: nothing else reaches a verdict. Each group is absent when nothing is known of it, and every
 * control demands positive proof, so absence is an objection. Keep in step with schema.cedarschema (a test compares).
 * No identifier of a person or device is in here: erasure never changes a verdict, and verdicts can be remembered.
 */
export interface Context {
  readonly segment?: {
    readonly listenerClass: 'public' | 'enroll' | 'admin';
    /** The listener lists this protocol. */
    readonly protocolServed: boolean;
    /** The listener lists this template for the protocol. At `admit`: true when no template is named yet. */
    readonly templateServed: boolean;
    /** The connection meets the listener's TLS floor, and a message that is protected by itself the template's (no SHA-1, no 3DES). */
    readonly tlsFloorMet: boolean;
    /** The peer's address is inside the listener's source ranges. */
    readonly sourceAllowed: boolean;
    /** The listener demands no management client, or the connection is one's. */
    readonly managed: boolean;
    /** The device's class may use this listener. At `admit`: true, the class is not known yet. */
    readonly classAllowed: boolean;
  };
  /** true: within the limit. `device` and `template` are true at `admit`, where they are not known yet. */
  readonly rate?: {
    readonly source: boolean;
    readonly device: boolean;
    readonly template: boolean;
  };
  /** The one-time secret. */
  readonly secret?: {
    readonly known: boolean;
    readonly notVoid: boolean;
    readonly unexpired: boolean;
    /** Live, or reserved or spent by this same request (credential, template, public key, names). */
    readonly unused: boolean;
    readonly forTemplate: boolean;
    /** Subject and SAN that the secret expects are those of the request; true where it expects none. */
    readonly forRequest: boolean;
    /** The user name beside the secret does not name another device. */
    readonly forDevice: boolean;
  };
  /** A password that we did not give out for one device: a workflow answers for it, or it is a template's static one. */
  readonly challenge?: {
    /** Every workflow of the template agreed; of a static one: it is the template's. */
    readonly known: boolean;
    /** Of a static one: within the limit that its template sets to it. */
    readonly withinLimit: boolean;
  };
  /** An identity that came from elsewhere, by the TLS handshake: its maker's, an MDM's, or a registration authority that speaks for the device. */
  readonly identity?: {
    /** `none`: of nobody that is configured. */
    readonly kind: 'idevid' | 'mdm' | 'ra' | 'none';
    /** Its path verifies to a CA configured for this kind; a registration authority's certificate is on the list itself. */
    readonly known: boolean;
    /** Every certificate of its path is within its validity. */
    readonly current: boolean;
    /** Not a CA's; of a registration authority: with id-kp-cmcRA, which no other kind may have. */
    readonly purpose: boolean;
    /** It may vouch for this template, and the template takes this kind. */
    readonly forTemplate: boolean;
    /** What it names is this device of the inventory, and of a class that it may vouch for. */
    readonly forDevice: boolean;
  };
  /** The ACME account that orders, by the signature of its key. */
  readonly account?: {
    /** It is the one that asks: what comes by another protocol has none, and what comes by ACME must have one. */
    readonly presented: boolean;
    /** Neither deactivated nor revoked, and neither is the key that its owner was given for it. */
    readonly valid: boolean;
    /** The order is of this template, which takes accounts, and its owner was given the account for it. */
    readonly forTemplate: boolean;
    /** The order is open, or was finalized with this key, and the request names its identifiers and nothing else. */
    readonly forRequest: boolean;
    readonly withinNames: boolean;
    /** With this certificate it has current ones for no more sets of names than its owner was given. */
    readonly withinCount: boolean;
    /** Every identifier of the order has an authorization that was valid when the order was finalized, and was not given up since. */
    readonly authorized: boolean;
    /** An operator listed the names that the account may have, these among them, and said that they need no other approval. */
    readonly approved: boolean;
  };
  /** The client certificate, by the TLS handshake; of an account, the one that it renews. */
  readonly presenter?: {
    /** Its signature verifies under one of our CAs. */
    readonly issuedHere: boolean;
    /** It is in our store: a certificate unknown to the log gets nothing. */
    readonly known: boolean;
    readonly endEntity: boolean;
    readonly unexpired: boolean;
    readonly unrevoked: boolean;
    readonly sameTemplate: boolean;
    /** Subject and SAN of the request are those of the certificate, unless the template lets them change (RFC 7030 section 4.2.2). */
    readonly sameNames: boolean;
    /** The key is the same, or another, as the template wants it at renewals. */
    readonly keyAllowed: boolean;
  };
  /** Proof that request and connection have one sender: tls-unique or tls-exporter in the request (RFC 7030 section 3.5). */
  readonly binding?: {
    /** The template demands it. */
    readonly required: boolean;
    readonly bound: boolean;
    /** The request holds a binding, of another connection. */
    readonly contradicted: boolean;
  };
  /** Systems outside that have a say in this template. */
  readonly workflow?: {
    /** The template names some. */
    readonly required: boolean;
    /** All of them were asked, and agreed. */
    readonly agreed: boolean;
  };
  readonly device?: {
    readonly known: boolean;
    readonly state: 'expected' | 'active' | 'suspended' | 'retired' | 'unknown';
    /** It has no current certificate of this template for another key. */
    readonly fresh: boolean;
  };
  readonly evidence?: {
    /** The device's class or the template's key protection demands it. */
    readonly required: boolean;
    readonly offered: boolean;
    /** It was offered, and the device's class takes evidence, or must have it. What follows is false where it was not. */
    readonly judged: boolean;
    /** Of a format that the class takes; it could be read, and its signatures hold. */
    readonly sound: boolean;
    /** It holds the nonce that we gave out for it. */
    readonly fresh: boolean;
    /** Its certificates end at a root that the class believes, none is revoked, and it says what the class asks of its hardware. */
    readonly trusted: boolean;
    /** It attests the key that is to be certified. */
    readonly forKey: boolean;
    /** It is of this device of the inventory. */
    readonly forDevice: boolean;
    /** No other request came with it. */
    readonly unused: boolean;
    /** All of these. */
    readonly verified: boolean;
  };
  /** What verified evidence says of the device's software and firmware. */
  readonly versions?: {
    /** None is lower than when a certificate was last issued to the device on evidence of this format, and none that was said is lacking. */
    readonly kept: boolean;
  };
  /** The key of the hardware that vouches for the attested one. */
  readonly attestingKey?: {
    /** No more devices have certificates by it than its class lets, this one counted. */
    readonly withinLimit: boolean;
  };
  readonly request?: {
    /** Proof of possession: the CSR's own signature verifies. */
    readonly possession: boolean;
    /** Each name asked for is one that the template builds, or one it ignores by name. */
    readonly subject: boolean;
    readonly subjectAltName: boolean;
    /** Key usage and extended key usage asked for are within the template's. */
    readonly usage: boolean;
    /** Does not ask to be a CA. */
    readonly endEntity: boolean;
    /** Asks for no Microsoft SID, neither as extension nor as SAN URI. */
    readonly noSid: boolean;
    /** Asks for no extension that the template does not know. */
    readonly extensions: boolean;
  };
  readonly key?: {
    readonly algorithmAllowed: boolean;
    /** The device made it, or the template lets the authority make it. */
    readonly originAllowed: boolean;
    /** Not short, no small exponent, not ROCA, on its curve. */
    readonly strong: boolean;
    /** No other device has, or had, a certificate for this public key. */
    readonly unshared: boolean;
  };
  readonly template?: {
    readonly known: boolean;
    /** The device's class may have it. */
    readonly forClass: boolean;
    /** Every name that the template builds can be built of what the inventory knows of the device. */
    readonly namesBuilt: boolean;
  };
  readonly approval?: {
    /** The class demands an operator's approval for every enrollment. */
    readonly required: boolean;
    readonly granted: boolean;
    /** Ids of the controls that the operator lifted. Empty when not granted. */
    readonly lifts: readonly string[];
    /** An operator has denied this very request: then it does not wait for another. */
    readonly denied: boolean;
  };
  readonly renewal?: {
    /** Inside the template's renewal window. */
    readonly windowOpen: boolean;
  };
  /** The certificates that lead from a first one to the one presented. */
  readonly lineage?: {
    /** It was not renewed to another key before, nor is it of a branch of which nobody knows whose it is. */
    readonly uncontested: boolean;
  };
}

export const actions = ['admit', 'enroll', 'renew'] as const;
export type Action = (typeof actions)[number];

/** Derived, never observed: a pure function of observations, references and time. */
export interface Facts {
  readonly action: Action;
  /** The principal, `DeviceClass::"…"`; `unknown` before or without a device. */
  readonly deviceClass: string;
  /** The resource, `Template::"…"`; `none` where none is named (admit of cacerts). */
  readonly template: string;
  readonly context: Context;
  /** Why a control that objects does so, in words for the operator. Keys are control ids. Never sent to a client. */
  readonly reasons: Readonly<Record<string, string>>;
}

/** One control that objected. */
export interface Objection {
  /** The control's @id. */
  readonly control: string;
  readonly title: string;
  /** facts.reasons[control], or the title where deriving gave no words. */
  readonly detail: string;
  /** An operator may lift it. An evaluation error is never liftable. */
  readonly liftable: boolean;
}

export interface Verdict {
  readonly decision: 'allow' | 'deny' | 'hold';
  /** Sorted by control id. Empty for allow only. */
  readonly objections: readonly Objection[];
}
