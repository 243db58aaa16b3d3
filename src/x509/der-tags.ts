/** Identifier octets, class and constructed bit included (X.690 section 8.1.2). */
export const tags = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  enumerated: 0x0a,
  utf8String: 0x0c,
  sequence: 0x30,
  set: 0x31,
  numericString: 0x12,
  printableString: 0x13,
  teletexString: 0x14,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  universalString: 0x1c,
  bmpString: 0x1e,
} as const;

/** [n] of an implicitly tagged primitive. */
export function contextPrimitive(n: number): number {
  return 0x80 | n;
}

/** [n] of an explicitly tagged element, or of an implicitly tagged SEQUENCE or SET. */
export function contextConstructed(n: number): number {
  return 0xa0 | n;
}
